// Package javavectors reads recorded answers of Kafka Connect's own classes,
// one JSON case per line, for the tests of what must answer the same. They are
// in testdata, whose README says where they come from and how to replace them;
// exceptions.txt there names the cases that are answered in another way on
// purpose, absent.txt the kinds of cases of what there is not yet.
package javavectors

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
)

// Env names a folder with other vectors of the same kinds, .jsonl or .jsonl.gz,
// to be read instead of those of testdata.
const Env = "HYDRAULICS_JAVA_VECTORS"

//go:embed testdata
var testdata embed.FS

// Replay runs a check of each case of these kinds, such as converter.Json. A
// case of the list of exceptions has to fail it, every other one to pass.
func Replay(t *testing.T, check func(t *testing.T, c Case) error, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			excepted := listed(t)
			for _, c := range load(t, kind) {
				t.Run(c.ID, func(t *testing.T) {
					if err := excepted.Judge(c.ID, check(t, c)); err != nil {
						t.Errorf("%v: %v", c, err)
					}
				})
			}
		})
	}
}

// load gives the cases of a kind. Other vectors than those of testdata need
// not have any.
func load(t *testing.T, kind string) []Case {
	t.Helper()
	all, err := recorded()
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	for _, c := range all {
		if c.Kind() == kind {
			cases = append(cases, c)
		}
	}
	if len(cases) == 0 && os.Getenv(Env) == "" {
		t.Fatalf("there is no case of %s", kind)
	}
	return cases
}

// recorded gives all cases: of the folder that Env names or of testdata.
var recorded = sync.OnceValues(func() ([]Case, error) {
	dir := os.Getenv(Env)
	if dir == "" {
		return read(sub(testdata, "testdata"))
	}
	return read(os.DirFS(dir))
})

func sub(files fs.FS, dir string) fs.FS {
	s, err := fs.Sub(files, dir)
	if err != nil {
		panic(err)
	}
	return s
}

// read gives the cases of all files of vectors.
func read(files fs.FS) ([]Case, error) {
	names, err := fs.Glob(files, "*.jsonl*")
	if err != nil {
		return nil, err
	}
	var all []Case
	for _, name := range names {
		cases, err := readFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, cases...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no vectors (*.jsonl, *.jsonl.gz) are there", Env)
	}
	return all, nil
}

func readFile(files fs.FS, name string) ([]Case, error) {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if data, err = io.ReadAll(z); err != nil {
			return nil, err
		}
	}
	var cases []Case
	for d := json.NewDecoder(bytes.NewReader(data)); ; {
		var c Case
		if err := d.Decode(&c); errors.Is(err, io.EOF) {
			return cases, nil
		} else if err != nil {
			return nil, err
		}
		cases = append(cases, c)
	}
}
