package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// testFile is a file of tests.
type testFile struct {
	Files     []string       `json:"files"` // of the configuration, from this file on
	Connector string         `json:"connector"`
	Set       map[string]any `json:"set"`   // keys over the files', as --set has them
	Sink      bool           `json:"sink"`  // whether the sink shows what it would write
	Asks      bool           `json:"asks"`  // whether model servers are asked
	Tests     []testCase     `json:"tests"` // one after the other, each from the start
}

type testCase struct {
	Name   string                 `json:"name"`
	Input  []runtime.PreviewInput `json:"input"`
	Expect []preview.Expected     `json:"expect"` // one of each record
	Would  []string               `json:"would"`  // parts of what it would do besides
	Within float64                `json:"within"` // how far numbers may be off, as a share
}

// numbersWithin is how far numbers may be from those expected, where a test says
// nothing of it: the last digits are different on different processors.
const numbersWithin = 1e-6

func newTestCommand(name string) *cobra.Command {
	var show bool
	var limit time.Duration
	c := &cobra.Command{
		Use:   "test FILE.test.yaml...",
		Short: "Test configurations: records given, and what each stage makes of them",
		Long: `Takes the records of a test through a connector's stages, as preview does, and
compares what becomes of them: fields behind a stage and at the end, dead letters
and their reasons, what would be done besides. No Kafka is needed; state begins
empty with each test.

Exits with 1 where something is not as expected.`,
		Example: "  " + name + " test configs/*.test.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeoutCause(cmd.Context(), limit, fmt.Errorf("it takes longer than --for %s", limit))
			defer cancel()
			failed := false
			for _, file := range args {
				ok, err := runTests(ctx, cmd, file, show)
				if err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
				failed = failed || !ok
			}
			if failed {
				return ErrSaid
			}
			return nil
		},
	}
	c.Flags().BoolVar(&show, "show", false, "print what becomes of the records of each test, too")
	c.Flags().DurationVar(&limit, "for", 10*time.Minute, "how long it may take in all")
	return c
}

// runTests runs the tests of a file, and tells whether all is as expected.
func runTests(ctx context.Context, cmd *cobra.Command, file string, show bool) (bool, error) {
	t, err := readTests(file)
	if err != nil {
		return false, err
	}
	all, c, err := t.open(file)
	if err != nil {
		return false, err
	}
	ok, out := true, cmd.OutOrStdout()
	for _, x := range t.Tests {
		r, err := all.preview(ctx, c, runtime.PreviewOptions{Input: x.Input, Offline: !t.Asks, Stages: !t.Sink})
		if err != nil {
			return false, fmt.Errorf("%s: %w", x.Name, err)
		}
		differences := preview.Differences(r, x.Expect, x.Would, cmp.Or(x.Within, numbersWithin))
		word := "ok"
		if len(differences) > 0 {
			ok, word = false, "FAIL"
		}
		fmt.Fprintf(out, "%s  %s: %s\n", word, file, x.Name)
		for _, d := range differences {
			fmt.Fprintf(out, "    %s\n", d)
		}
		if show {
			if err := preview.Write(out, r); err != nil {
				return false, err
			}
		}
	}
	return ok, nil
}

// open reads the configuration that the tests are of.
func (t *testFile) open(file string) (*previewer, *config.Connector, error) {
	s := new(config.Setup)
	for _, name := range t.Files {
		if err := s.ReadFile(filepath.Join(filepath.Dir(file), name), config.AnyRole); err != nil {
			return nil, nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.Set)) {
		if err := s.Set(fmt.Sprintf("connectors.%s.%s=%v", t.Connector, key, t.Set[key])); err != nil {
			return nil, nil, err
		}
	}
	s.Distributed = s.NamesCluster()
	var wrong []error
	for _, p := range config.Lint(s, connector.Plugins, Defaults) {
		if !p.Warning {
			wrong = append(wrong, p)
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, nil, err
	}
	all, err := newPreviewer(s, slog.Default())
	if err != nil {
		return nil, nil, err
	}
	chosen, err := all.chosen([]string{t.Connector})
	if err != nil {
		return nil, nil, err
	}
	return all, chosen[0], nil
}

// readTests reads a file of tests.
func readTests(file string) (*testFile, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := yaml.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	if tree, err = withFiles(tree, filepath.Dir(file)); err != nil {
		return nil, err
	}
	if data, err = json.Marshal(tree); err != nil {
		return nil, err
	}
	t := new(testFile)
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(t); err != nil {
		return nil, err
	}
	if len(t.Files) == 0 || t.Connector == "" || len(t.Tests) == 0 {
		return nil, errors.New("a file of tests needs files (of the configuration), connector and tests")
	}
	return t, nil
}

// fileKey stands alone in a map that stands for a file's content, in base64.
const fileKey = "$file"

// withFiles puts the content of files where a test names them.
func withFiles(v any, dir string) (_ any, err error) {
	switch v := v.(type) {
	case map[string]any:
		if name, ok := v[fileKey].(string); ok && len(v) == 1 {
			data, err := os.ReadFile(filepath.Join(dir, name))
			return base64.StdEncoding.EncodeToString(data), err
		}
		for k := range v {
			if v[k], err = withFiles(v[k], dir); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range v {
			if v[i], err = withFiles(v[i], dir); err != nil {
				return nil, err
			}
		}
	case float64: // 5.0 stays a number with a fraction
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".eEIN") {
			text += ".0"
		}
		return json.Number(text), nil
	}
	return v, nil
}
