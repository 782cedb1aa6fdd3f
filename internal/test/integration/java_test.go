//go:build integration

package integration

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// javaPlugins gives the folder of the plugins of Java's worker. A test is skipped
// where there is no such worker.
func javaPlugins(t *testing.T) string {
	t.Helper()
	plugins := os.Getenv("HYDRAULICS_CONNECT_PLUGINS")
	if plugins == "" || os.Getenv("HYDRAULICS_CONNECT_CLASSPATH") == "" {
		t.Skip("HYDRAULICS_CONNECT_CLASSPATH and HYDRAULICS_CONNECT_PLUGINS are not both set: no Java worker, make integration fetches one")
	}
	return plugins
}

// startJava starts Java's worker, which is ConnectStandalone or ConnectDistributed, on
// files of a folder that have its REST API at an address.
func startJava(t *testing.T, dir, class, address string, files ...string) *worker {
	t.Helper()
	w, _ := launch(t, dir, "java.log", exec.Command("java", append([]string{"-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp",
		os.Getenv("HYDRAULICS_CONNECT_CLASSPATH"), "org.apache.kafka.connect.cli." + class}, files...)...))
	w.rest = "http://" + address
	wait.Nil(t, "Java's worker", func() error {
		if w.ended() {
			t.Fatal("Java's worker has ended")
		}
		res, err := http.Get(w.rest + "/connectors")
		if err != nil {
			return err
		}
		if res.StatusCode != http.StatusOK { // it listens before it answers
			err = errors.New(res.Status)
		}
		return errors.Join(err, res.Body.Close())
	})
	return w
}
