package files

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "kept.json")
	for text, mode := range map[string]os.FileMode{"private": 0o600, "for all": 0o644} {
		if err := Replace(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		info, err2 := os.Stat(name)
		if err != nil || err2 != nil || string(got) != text || info.Mode().Perm() != mode {
			t.Errorf("%q, %v (%v, %v), want %q, %v", got, info.Mode(), err, err2, text, mode)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Replace(filepath.Join(dir, "folder"), nil, 0o600); err == nil {
		t.Error("a folder is replaced by a file")
	}
	if err := Replace(filepath.Join(dir, "nowhere", "x"), nil, 0o600); err == nil {
		t.Error("a file is made in a folder that is not there")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("%v (%v), want the file and the folder alone", left, err)
	}
}

func TestPrivateFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "above", "open")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dir, filepath.Join(dir, "new")} {
		if err := PrivateFolder(dir); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
}
