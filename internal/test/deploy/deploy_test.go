// Package deploy reads what configs/deploy has for Kubernetes as Kubernetes and
// Helm do: strictly, into their own types.
package deploy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

const manifests, chart = "../../../configs/deploy/kubernetes/worker.yaml", "../../../configs/deploy/helm/hydraulics"

// objects reads the documents of a manifest; a field that Kubernetes does not know
// is an error.
func objects(t *testing.T, text []byte) map[string]runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, policyv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	found := map[string]runtime.Object{}
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		doc, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		var about struct{ APIVersion, Kind string }
		if err := strict.Unmarshal(doc, &about); err != nil {
			t.Fatal(err)
		}
		if about.Kind == "" {
			continue // comments alone
		}
		o, err := scheme.New(schema.FromAPIVersionAndKind(about.APIVersion, about.Kind))
		if err != nil {
			t.Fatal(err)
		}
		if err := strict.UnmarshalStrict(doc, o); err != nil {
			t.Fatalf("%s: %v", about.Kind, err)
		}
		if found[about.Kind] != nil {
			t.Fatalf("two of kind %s", about.Kind)
		}
		found[about.Kind] = o
	}
}

// render gives the chart's manifests for values that are written as --set has them.
func render(t *testing.T, values map[string]any) []byte {
	t.Helper()
	c, err := loader.Load(chart)
	if err != nil {
		t.Fatal(err)
	}
	all, err := chartutil.ToRenderValues(c, values, chartutil.ReleaseOptions{Name: "ship", Namespace: "plankton"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := engine.Render(c, all)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, ".yaml") {
			out.WriteString(files[name] + "\n---\n")
		}
	}
	return out.Bytes()
}

// workers checks what three workers need, whoever wrote the manifests. It gives the
// worker's configuration.
func workers(t *testing.T, found map[string]runtime.Object) string {
	t.Helper()
	d, ok := found["Deployment"].(*appsv1.Deployment)
	if !ok {
		t.Fatal("there is no Deployment")
	}
	pod, labels := d.Spec.Template.Spec, d.Spec.Template.Labels
	if *d.Spec.Replicas != 3 || d.Spec.Strategy.RollingUpdate.MaxSurge.IntValue() != 0 || d.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 1 {
		t.Error("want three workers, replaced one by one")
	}
	if d.Spec.Template.Annotations["prometheus.io/port"] != "8083" {
		t.Error("Prometheus is not told")
	}
	c := pod.Containers[0]
	if c.ReadinessProbe.HTTPGet.Path != "/health" || c.LivenessProbe.HTTPGet.Path != "/" || c.StartupProbe == nil {
		t.Error("want all three probes, and no end of a worker whose tasks are stalled")
	}
	mounts := map[string]string{}
	for _, m := range c.VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	for _, v := range pod.Volumes {
		if mounts[v.Name] == "" {
			t.Errorf("volume %s is not mounted", v.Name)
		}
		delete(mounts, v.Name)
	}
	for name := range mounts {
		t.Errorf("mount %s has no volume", name)
	}
	for kind, selects := range map[string]map[string]string{
		"Deployment":          d.Spec.Selector.MatchLabels,
		"Service":             found["Service"].(*corev1.Service).Spec.Selector,
		"PodDisruptionBudget": found["PodDisruptionBudget"].(*policyv1.PodDisruptionBudget).Spec.Selector.MatchLabels,
	} {
		for k, v := range selects {
			if labels[k] != v {
				t.Errorf("%s selects %s=%s, the pods have %q", kind, k, v, labels[k])
			}
		}
		if len(selects) == 0 {
			t.Errorf("%s selects everything", kind)
		}
	}
	return found["ConfigMap"].(*corev1.ConfigMap).Data["worker.yaml"]
}

// keys reads a worker's configuration, which lint has to find right where the
// variable HYDRAULICS_BINARY names the program.
func keys(t *testing.T, text string) map[string]any {
	t.Helper()
	if binary := os.Getenv("HYDRAULICS_BINARY"); binary != "" {
		file := t.TempDir() + "/worker.yaml"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(binary, "lint", "--elsewhere", file).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("lint: %v\n%s", err, out)
		}
	}
	var setup struct {
		Worker map[string]any `json:"worker"`
	}
	if err := strict.UnmarshalStrict([]byte(text), &setup); err != nil {
		t.Fatal(err)
	}
	return setup.Worker
}

func TestManifests(t *testing.T) {
	text, err := os.ReadFile(manifests)
	if err != nil {
		t.Fatal(err)
	}
	if got := keys(t, workers(t, objects(t, text))); got["group.id"] != "hydraulics" || got["listeners"] != "http://:8083" {
		t.Errorf("the worker's keys are %v", got)
	}
}

func TestChart(t *testing.T) {
	for name, c := range map[string]struct {
		values map[string]any
		want   map[string]any
	}{
		"as it is": {nil, map[string]any{"group.id": "ship", "bootstrap.servers": "kafka:9092", "status.storage.replication.factor": float64(3), "key.converter": "json"}},
		"keys of its own": {map[string]any{"replicationFactor": 1, "worker": map[string]any{"group.id": "fleet", "value.converter": "string"},
			"env": []any{map[string]any{"name": "A", "value": "b"}}, "nodeSelector": map[string]any{"disk": "ssd"}},
			map[string]any{"group.id": "fleet", "value.converter": "string", "key.converter": "json", "config.storage.replication.factor": float64(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			got := keys(t, workers(t, objects(t, render(t, c.values))))
			for k, v := range c.want {
				if got[k] != v {
					t.Errorf("%s is %v, want %v", k, got[k], v)
				}
			}
		})
	}
}
