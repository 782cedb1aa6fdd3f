package page

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// What a browser loads may have so many bytes, compressed.
const (
	allBytes   = 100 << 10
	firstBytes = 40 << 10 // before the first view is seen
)

// compressed gives the size of a file.
func compressed(t *testing.T, text []byte) int {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// imported finds what a script loads with itself, not later by import().
var imported = regexp.MustCompile(`(?:from|import)"\./([^"]+)"`)

func TestBudget(t *testing.T) {
	all, first, counted := 0, 0, map[string]bool{}
	texts := map[string][]byte{}
	names, err := fs.Glob(static, "static/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := static.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[path.Base(name)] = text
		if path.Base(name) != "licences.txt" {
			all += compressed(t, text)
		}
	}
	var count func(name string)
	count = func(name string) {
		if counted[name] {
			return
		}
		counted[name] = true
		first += compressed(t, texts[name])
		for _, m := range imported.FindAllSubmatch(texts[name], -1) {
			count(string(m[1]))
		}
	}
	for _, name := range []string{"index.html", "page.css", "page.js"} {
		count(name)
	}
	if all > allBytes || first > firstBytes || len(counted) < 4 {
		t.Errorf("the page has %d bytes of %d, the first view %d of %d in %v", all, allBytes, first, firstBytes, counted)
	}
	t.Logf("%d bytes in all, %d before the first view", all, first)
}

// TestLicences of all that is bundled are beside it.
func TestLicences(t *testing.T) {
	text, err := os.ReadFile("web/lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock []struct {
		Name, Path string
		Test       bool
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		t.Fatal(err)
	}
	licences, err := static.ReadFile("static/licences.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lock {
		if there := strings.Contains(string(licences), l.Name+" ("+path.Base(l.Path)+")\n"); there == l.Test {
			t.Errorf("%s: its licence is there: %v", l.Name, there)
		}
	}
}

// TestIcon has an icon for answers that are no page, and name none.
func TestIcon(t *testing.T) {
	if got := get(t, newPage(t), "/favicon.ico", nil).Header().Get("Location"); got != "/icon.svg" {
		t.Errorf("the icon is at %q", got)
	}
}
