package model

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/axiom-data-science/hydraulics/configs"
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
	data, err := os.ReadFile(file)
	if err != nil {
		if filepath.IsAbs(file) {
			return source{}, err
		}
		if s, ok := findEmbedded(filepath.ToSlash(filepath.Clean(file)), nil); ok {
			return s, nil
		}
		return source{}, err
	}
	s := source{data: data, beside: func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(filepath.Dir(file), name)) }}
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
