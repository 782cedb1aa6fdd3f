//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// Whether a bad file is checked by lint or its connectors are sent to the REST
// API's validate, the errors are the same. What only a file can have (a key
// twice) and what only a worker has (a reference's value) is left out.
func TestLintAndValidateAgree(t *testing.T) {
	dir := t.TempDir()
	w := startProgram(t, dir, program(t), "worker", "-f", emptyWorker(t, dir))
	var files []string
	check(t, filepath.WalkDir("../../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2:
			return filepath.SkipDir
		case strings.HasSuffix(path, ".bad.yaml"):
			files = append(files, path)
		}
		return nil
	}))
	if len(files) < 2 {
		t.Fatalf("bad files: %v", files)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			said, err := hydraulics(t, "lint", file)
			if err == nil {
				t.Fatalf("lint finds nothing wrong: %s", said)
			}
			journey, err := config.Read(file)
			check(t, err)
			compared := 0
			for _, c := range journey.Connectors {
				errors, known := w.validate(t, c)
				if !known { // its class is wrong: neither knows its keys
					if !strings.Contains(said, c.Name+": connector.class: ") {
						t.Errorf("%s: validate does not know its class, lint says nothing of that", c.Name)
					}
					continue
				}
				errors = once(errors)
				if d := cmp.Diff(errors, linted(said, c, journey.Problems)); d != "" {
					t.Errorf("%s: validate has -, lint has +: %s", c.Name, d)
				}
				compared += len(errors)
			}
			if compared == 0 {
				t.Error("no errors were compared")
			}
			t.Logf("%d errors are the same", compared)
		})
	}
}

// once leaves out what follows from another error: that a value which could not be
// read is null, and what two keys are told in the same words. lint says it once.
func once(errors []string) []string {
	of := map[string]int{}
	for _, e := range errors {
		key, _, _ := strings.Cut(e, ": ")
		of[key]++
	}
	return slices.DeleteFunc(errors, func(e string) bool {
		key, message, _ := strings.Cut(e, ": ")
		twoKeys := strings.HasPrefix(message, "Must configure one of") || strings.Contains(message, "mutually exclusive")
		return key == "topics.regex" && twoKeys || of[key] > 1 && strings.HasSuffix(message, "Value must be non-null")
	})
}

// code is that of a documented failure, which lint says behind what is wrong.
var code = regexp.MustCompile(` \[H\d{4}\]$`)

// linted gives what lint says of a connector: key and message.
func linted(said string, c config.Connector, ofTheFile []config.Problem) []string {
	var own []string
	for _, p := range ofTheFile {
		own = append(own, code.ReplaceAllString(p.String(), ""))
	}
	list := []string{}
	for line := range strings.Lines(said) {
		line = code.ReplaceAllString(strings.TrimSpace(line), "")
		_, rest, ok := strings.Cut(line, ": "+c.Name+": ")
		key, _, _ := strings.Cut(rest, ": ")
		if ok && !strings.HasPrefix(line, "warning: ") && !slices.Contains(own, line) && !refers(c, key) {
			list = append(list, rest)
		}
	}
	slices.Sort(list)
	return list
}

// refers tells whether a key's value holds a reference.
func refers(c config.Connector, key string) bool {
	e, ok := c.Entries.Find(key)
	return ok && strings.Contains(e.Text, "${")
}

// validate gives the errors that the REST API has for a connector; false says
// that it does not know its class.
func (w *worker) validate(t *testing.T, c config.Connector) (errors []string, known bool) {
	t.Helper()
	props := map[string]string{}
	for k := range c.Entries.Props() {
		if text, ok := c.Entries.Props().Text(k); ok {
			props[k] = text
		}
	}
	class := props["connector.class"]
	if class == "" {
		class = "none"
	}
	body, err := json.Marshal(props)
	check(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, w.rest+"/connector-plugins/"+url.PathEscape(class)+"/config/validate", bytes.NewReader(body))
	check(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	check(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	check(t, err)
	if resp.StatusCode != http.StatusOK {
		return nil, false
	}
	var answer struct {
		Errors  int `json:"error_count"`
		Configs []struct {
			Value struct {
				Name   string   `json:"name"`
				Errors []string `json:"errors"`
			} `json:"value"`
		} `json:"configs"`
	}
	check(t, json.Unmarshal(data, &answer))
	errors = []string{}
	for _, x := range answer.Configs {
		for _, text := range x.Value.Errors {
			if !refers(c, x.Value.Name) {
				errors = append(errors, fmt.Sprintf("%s: %s", x.Value.Name, strings.TrimPrefix(text, x.Value.Name+": ")))
			}
		}
	}
	slices.Sort(errors)
	return errors, true
}
