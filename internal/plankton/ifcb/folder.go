package ifcb

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// File is a bin found in a folder.
type File struct {
	ID  BinID
	ADC string // path of its .adc file, for [Open]
}

// maxDepth is how deep bins lie below a data folder: year directory, day directory.
const maxDepth = 2

// List finds the bins of a folder, oldest first: flat, in day directories (D20190728, IFCB5_2012_028) or in day
// directories below year directories. Files with other names are left alone; of a bin that is there twice the first
// one found counts. A directory that cannot be read is an error.
func List(dir string) ([]File, error) { return ListSince(dir, time.Time{}) }

// ListSince is [List] without the bins of directories that are named after an earlier day or year than from's: they
// are not read. Bins that lie elsewhere are listed whatever their time.
func ListSince(dir string, from time.Time) ([]File, error) { return list(dir, from, ".adc") }

// ListParts is [ListSince] with the bins whose .adc is not there: of which there is another file only.
func ListParts(dir string, from time.Time) ([]File, error) {
	return list(dir, from, ".adc", ".hdr", ".roi")
}

// list finds the bins that have a file with one of some extensions; of two, the one that has the first of these counts.
func list(dir string, from time.Time, exts ...string) ([]File, error) {
	type found struct{ place, ext int }
	seen := map[BinID]found{}
	var files []File
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if path != dir && (depth(dir, path) > maxDepth || strings.HasPrefix(entry.Name(), ".") || isBefore(entry.Name(), from)) {
				return filepath.SkipDir
			}
			return nil
		}
		kind := filepath.Ext(path)
		ext := slices.Index(exts, kind)
		id, err := ParseBinID(strings.TrimSuffix(entry.Name(), kind))
		if ext < 0 || err != nil {
			return nil
		}
		file := File{ID: id, ADC: strings.TrimSuffix(path, kind) + ".adc"}
		before, twice := seen[id]
		switch {
		case !twice:
			seen[id] = found{len(files), ext}
			files = append(files, file)
		case ext == 0 && before.ext != 0:
			seen[id] = found{before.place, ext}
			files[before.place] = file
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("bins in %s: %w", dir, err)
	}
	slices.SortFunc(files, func(a, b File) int { return a.ID.Compare(b.ID) })
	return files, nil
}

// dayDirs are the names of directories of a day or a year, and how long each is.
var dayDirs = []struct {
	name        *regexp.Regexp
	layout      string
	years, days int
}{
	{regexp.MustCompile(`^D(\d{8})$`), "20060102", 0, 1},
	{regexp.MustCompile(`^IFCB\d_(\d{4}_\d{3})$`), "2006_002", 0, 1},
	{regexp.MustCompile(`^D?(\d{4})$`), "2006", 1, 0},
}

// isBefore tells whether a directory is of a day or year that was over at a time.
func isBefore(name string, t time.Time) bool {
	for _, d := range dayDirs {
		if m := d.name.FindStringSubmatch(name); m != nil {
			start, err := time.Parse(d.layout, m[1])
			return err == nil && !start.AddDate(d.years, 0, d.days).After(t)
		}
	}
	return false
}

func depth(root, path string) int {
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return 0
	}
	return strings.Count(filepath.ToSlash(rel), "/") + 1
}
