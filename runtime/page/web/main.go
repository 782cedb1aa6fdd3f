// Command web bundles the page: it fetches the packages that lock.json names from the
// npm registry, checks them, and writes what a browser loads, and the licences of what
// is in it, into ../static.
//
//	go run . [folder]
//	go run . -cat PACKAGE/FILE
//
// With -cat it prints a file of one of the packages, such as one that only tests want.
// The registry is that of NPM_CONFIG_REGISTRY, or npm's own setting.
package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// budget is how large all scripts and styles may be, compressed. What the first view
// may have of it is in the page's tests.
const budget = 100 << 10

// locked is a package of the page.
type locked struct {
	Name   string `json:"name"`
	Path   string `json:"path"`   // below the registry
	SHA512 string `json:"sha512"` // of the archive, base64
	Test   bool   `json:"test"`   // only tests want it
}

func main() {
	to, run := "../static", bundle
	switch args := os.Args[1:]; {
	case len(args) == 2 && args[0] == "-cat":
		to, run = args[1], cat
	case len(args) > 0:
		to = args[0]
	}
	if err := run(to); err != nil {
		fmt.Fprintln(os.Stderr, "page:", err)
		os.Exit(1)
	}
}

// locks gives the packages of lock.json.
func locks() (list []locked, err error) {
	text, err := os.ReadFile("lock.json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("lock.json: %w", err)
	}
	return list, nil
}

// cat prints a file of a package.
func cat(what string) error {
	lock, err := locks()
	if err != nil {
		return err
	}
	from, err := registry()
	if err != nil {
		return err
	}
	for _, l := range lock {
		name, ok := strings.CutPrefix(what, l.Name+"/")
		if !ok {
			continue
		}
		files, err := fetch(from, l)
		if err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
		if files[name] == nil {
			return fmt.Errorf("%s: there is no %s in it", l.Name, name)
		}
		_, err = os.Stdout.Write(files[name])
		return err
	}
	return fmt.Errorf("%s: it is of no package in lock.json", what)
}

func bundle(to string) error {
	lock, err := locks()
	if err != nil {
		return err
	}
	// All is laid out in one folder: names of files depend on paths in it, and not on its own.
	work, err := os.MkdirTemp("", "page")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.CopyFS(filepath.Join(work, "src"), os.DirFS("src")); err != nil {
		return err
	}
	from, err := registry()
	if err != nil {
		return err
	}
	var licences bytes.Buffer
	for _, l := range lock {
		if l.Test {
			continue
		}
		files, err := fetch(from, l)
		if err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
		if err := lay(filepath.Join(work, "node_modules", filepath.FromSlash(l.Name)), files); err != nil {
			return err
		}
		text, err := licence(files)
		if err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
		fmt.Fprintf(&licences, "%s (%s)\n\n%s\n\n", l.Name, path.Base(l.Path), strings.TrimSpace(text))
	}
	out, err := build(work)
	if err != nil {
		return err
	}
	out["licences.txt"] = licences.Bytes()
	for _, name := range []string{"index.html", "icon.svg"} {
		if out[name], err = os.ReadFile(filepath.Join("src", name)); err != nil {
			return err
		}
	}
	return write(to, out)
}

// registry gives the address below which packages are.
func registry() (string, error) {
	address := cmp.Or(os.Getenv("NPM_CONFIG_REGISTRY"), os.Getenv("npm_config_registry"))
	if address == "" {
		out, err := exec.Command("npm", "config", "get", "registry").Output()
		if err != nil {
			return "", fmt.Errorf("NPM_CONFIG_REGISTRY is not set, and npm does not say it: %w", err)
		}
		address = strings.TrimSpace(string(out))
	}
	return strings.TrimSuffix(address, "/") + "/", nil
}

// fetch gives the files of a package, by their names below its root.
func fetch(from string, l locked) (map[string][]byte, error) {
	resp, err := http.Get(from + l.Path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", l.Path, resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return nil, err
	}
	sum := sha512.Sum512(data)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != l.SHA512 {
		return nil, fmt.Errorf("%s has the sum %s, and lock.json says %s", l.Path, got, l.SHA512)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for archive := tar.NewReader(unzipped); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		_, name, below := strings.Cut(path.Clean(h.Name), "/") // "package/" as a rule
		if h.Typeflag != tar.TypeReg || !below || !filepath.IsLocal(name) {
			continue
		}
		if files[name], err = io.ReadAll(archive); err != nil {
			return nil, err
		}
	}
}

// lay writes the files of a package into a folder.
func lay(dir string, files map[string][]byte) error {
	for name, data := range files {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// licence gives the text of a package's licence.
func licence(files map[string][]byte) (string, error) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(strings.ToUpper(name), "LICEN") {
			return string(files[name]), nil
		}
	}
	return "", errors.New("there is no licence in it")
}

// build gives the scripts and styles by their names.
func build(work string) (map[string][]byte, error) {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"src/page.jsx", "src/page.css"}, AbsWorkingDir: work, Outdir: "out",
		Bundle: true, Splitting: true, MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, LegalComments: api.LegalCommentsNone,
		Format: api.FormatESModule, Target: api.ES2022, JSX: api.JSXAutomatic, JSXImportSource: "preact", Charset: api.CharsetUTF8,
	})
	var errs []error
	for _, m := range append(result.Errors, result.Warnings...) {
		where := ""
		if m.Location != nil {
			where = fmt.Sprintf("%s:%d: ", m.Location.File, m.Location.Line)
		}
		errs = append(errs, errors.New(where+m.Text))
	}
	out, size := map[string][]byte{}, 0
	for _, f := range result.OutputFiles {
		out[filepath.Base(f.Path)] = f.Contents
		var small bytes.Buffer
		w, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Contents); err != nil {
			return nil, err
		}
		errs = append(errs, w.Close())
		size += small.Len()
	}
	if size > budget {
		errs = append(errs, fmt.Errorf("scripts and styles have %d bytes, compressed, and may have %d", size, budget))
	}
	return out, errors.Join(errs...)
}

// write makes a folder hold these files and no others.
func write(to string, files map[string][]byte) error {
	old, err := os.ReadDir(to)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	errs := []error{os.MkdirAll(to, 0o755)}
	for _, e := range old {
		if files[e.Name()] == nil {
			errs = append(errs, os.RemoveAll(filepath.Join(to, e.Name())))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		errs = append(errs, os.WriteFile(filepath.Join(to, name), files[name], 0o644))
	}
	return errors.Join(errs...)
}
