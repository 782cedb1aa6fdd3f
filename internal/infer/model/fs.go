package model

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/internal/infer/onnx"
)

// files are the models that are part of the program, with their manifests. A
// relative path that is not on disk is looked for there; so is the manifest of
// a model that was unpacked to disk alone.
var files fs.FS = configs.FS

// source is where a model was found.
type source struct {
	data []byte
	// beside reads a file of this name that belongs to the model.
	beside func(name string) ([]byte, error)
}

// find reads a model file.
func find(file string) (source, error) {
	data, err := readBeside("", file)
	if err != nil {
		if filepath.IsAbs(file) {
			return source{}, err
		}
		if s, ok := findEmbedded(filepath.ToSlash(filepath.Clean(file)), nil); ok {
			return s, nil
		}
		return source{}, err
	}
	s := source{data: data, beside: func(name string) ([]byte, error) { return readBeside(filepath.Dir(file), name) }}
	if _, err := s.manifest(filepath.Base(file)); err == nil {
		return s, nil
	}
	// A model of the program that the configuration layer put on disk without
	// its manifest: the same bytes under the end of the same path.
	parts := strings.Split(filepath.ToSlash(file), "/")
	for i := range parts {
		if e, ok := findEmbedded(strings.Join(parts[i:], "/"), data); ok {
			return e, nil
		}
	}
	return s, nil
}

// findEmbedded looks for a path in the program's files; with same, only for
// one that holds the same bytes.
func findEmbedded(name string, same []byte) (source, bool) {
	data, err := fs.ReadFile(files, name)
	if err != nil || same != nil && !bytes.Equal(data, same) {
		return source{}, false
	}
	return source{data: data, beside: func(other string) ([]byte, error) { return fs.ReadFile(files, path.Join(path.Dir(name), other)) }}, true
}

// digest is over the model file and, behind it, the files beside it that hold
// weights, which it gives by name.
func (s source) digest() (sum [sha256.Size]byte, weights map[string][]byte, err error) {
	h := sha256.New()
	h.Write(s.data)
	names, err := onnx.ExternalFiles(s.data)
	if err != nil {
		return sum, nil, err
	}
	weights = map[string][]byte{}
	for _, name := range names {
		if !fs.ValidPath(name) {
			continue // which loading refuses
		}
		data, err := s.beside(name)
		if err != nil {
			return sum, nil, fmt.Errorf("its weights are in a file that must lie beside it: %w", err)
		}
		h.Write(data)
		weights[name] = data
	}
	return [sha256.Size]byte(h.Sum(nil)), weights, nil
}

// maxFile bounds a model's file and those beside it: Protocol Buffers end at 2 GiB.
const maxFile = 1 << 31

// readBeside reads a file of a folder, "" for where the program runs, by its
// path with slashes.
func readBeside(dir, name string) ([]byte, error) {
	file := filepath.Join(dir, filepath.FromSlash(name))
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s: is no file, or larger than %d bytes", file, maxFile)
	}
	return os.ReadFile(file)
}

// manifest reads the manifest beside a model file of this name.
func (s source) manifest(name string) ([]byte, error) {
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	data, err := s.beside(stem + ".yaml")
	if err != nil {
		if other, err2 := s.beside(stem + ".yml"); err2 == nil {
			return other, nil
		}
	}
	return data, err
}
