package disk

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestLooks(t *testing.T) {
	dir := t.TempDir()
	file, missing := filepath.Join(dir, "file"), filepath.Join(dir, "missing")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		got     connector.Finding
		what    string
		code    string
		warning bool
	}{
		{"folder to write", ToWrite("folder", dir), "folder " + dir, "", false},
		{"no folder to write", ToWrite("folder", missing), "folder " + missing, "H7005", false},
		{"a file in its place", ToWrite("folder", file), "folder " + file, "H7005", false},
		{"folder to read", ToRead("folder", dir), "folder " + dir, "", false},
		{"no folder to read", ToRead("folder", missing), "folder " + missing, "H7005", false},
		{"file to append to", ToAppend("file", file), "file " + file, "", false},
		{"file to be made", ToAppend("file", missing), "file " + missing, "", false},
		{"file in no folder", ToAppend("file", filepath.Join(missing, "a")), "file " + filepath.Join(missing, "a"), "H7005", false},
		{"a folder in its place", ToAppend("file", dir), "file " + dir, "H7006", false},
		{"file to read", FileToRead("file", file), "file " + file, "", false},
		{"a folder as a file to read", FileToRead("file", dir), "file " + dir, "H7007", false},
		{"file that is to come", FileToRead("file", missing), "file " + missing, "H7007", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.got
			if connector.CodeOf(f.Err) == "H9002" {
				t.Skip("this machine's disk is nearly full")
			}
			if f.What != tt.what || connector.CodeOf(f.Err) != tt.code || f.Warning != tt.warning || (f.Err == nil) == (f.Says == "") {
				t.Errorf("%+v", f)
			}
		})
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("something was written: %v, %v", entries, err)
	}
	if f := withRoom(connector.Finding{}, dir); f.Err == nil && !strings.Contains(f.Says, "free") {
		t.Skip("this system does not tell how much room there is")
	}
}
