package rest

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/exceptions"
)

// recordingsEnv names a folder with other recordings than those of testdata.
const recordingsEnv = "HYDRAULICS_CONNECT_REST"

// recording is a request to a Java worker and its answer.
type recording struct {
	ID      string            `json:"-"` // number and name, such as 001-root
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"request_headers"`
	Body    json.RawMessage   `json:"request_body"`
	Raw     *string           `json:"request_raw"`
	Status  int               `json:"status"`
	Answer  struct {
		Type  string `json:"content-type"`
		Allow string `json:"allow"`
	} `json:"headers"`
	Want json.RawMessage `json:"response_body"`
}

// recordings gives all recordings in the order of their numbers.
func recordings(t *testing.T) []recording {
	t.Helper()
	files, err := archived("testdata/connect-rest.tar.gz")
	if dir := os.Getenv(recordingsEnv); dir != "" {
		files, err = inFolder(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	var list []recording
	for name, data := range files {
		r := recording{ID: strings.TrimSuffix(name, ".json")}
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list = append(list, r)
	}
	if len(list) == 0 {
		t.Fatal("there are no recordings")
	}
	slices.SortFunc(list, func(a, b recording) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func archived(name string) (map[string][]byte, error) {
	packed, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err == nil {
			files[h.Name], err = io.ReadAll(r)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
}

func inFolder(dir string) (map[string][]byte, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// exceptionsIn reads a list of recordings of testdata, which must all be there.
func exceptionsIn(t *testing.T, name string, all []recording) exceptions.List {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	list, err := exceptions.Parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for id := range list {
		if os.Getenv(recordingsEnv) == "" && !slices.ContainsFunc(all, func(r recording) bool { return r.ID == id }) {
			t.Errorf("%s: %s is no recording", name, id)
		}
	}
	return list
}
