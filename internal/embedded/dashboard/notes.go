package dashboard

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// NotesFile may lie in a folder of bins and tells what people noted about them. It has the form in which generation 2
// takes such notes and gives them by api/export_metadata: a CSV with a header line and a column pid; columns skip (1,
// true, yes; 0, false, no) and tag1, tag2 ... mark bins; latitude, longitude, depth, cruise, cast, niskin, sample_type
// and comment_summary count more than a bin's own files. Other columns are left alone.
const NotesFile = "metadata.csv"

// note is what people noted about one bin.
type note struct {
	skip   bool
	tags   []string          // sorted
	values map[string]string // by column of api/export_metadata; never empty text
}

// noted are the columns that count more than a bin's own files.
var noted = []string{"latitude", "longitude", "depth", "cruise", "cast", "niskin", "sample_type", "comment_summary"}

func (n note) hasTags(tags []string) bool {
	return !slices.ContainsFunc(tags, func(tag string) bool { return !slices.Contains(n.tags, tag) })
}

// readNotes reads the notes of a folder; one without the file has none.
func readNotes(dir string) (map[ifcb.BinID]note, error) {
	f, err := os.Open(filepath.Join(dir, NotesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("notes on bins: %w", err)
	}
	defer f.Close()
	notes, err := parseNotes(csv.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("notes on bins: %s: %w", f.Name(), err)
	}
	return notes, nil
}

func parseNotes(in *csv.Reader) (map[ifcb.BinID]note, error) {
	names, err := in.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for i, name := range names {
		names[i] = strings.ToLower(strings.TrimSpace(name))
	}
	pid := slices.Index(names, "pid")
	if pid < 0 {
		return nil, errors.New("no column pid in its first line")
	}
	notes := map[ifcb.BinID]note{}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return notes, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := in.FieldPos(0)
		id, err := ifcb.ParseBinID(row[pid])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if notes[id], err = newNote(names, row); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func newNote(names, row []string) (note, error) {
	n := note{values: map[string]string{}}
	for i, name := range names {
		value := strings.TrimSpace(row[i])
		switch {
		case name == "skip":
			switch strings.ToLower(value) {
			case "1", "true", "t", "yes", "y", "skip":
				n.skip = true
			case "", "0", "false", "f", "no", "n", "noskip":
			default:
				return note{}, fmt.Errorf("skip: %q, want 1 or 0", value)
			}
		case value == "":
		case strings.HasPrefix(name, "tag"):
			n.tags = append(n.tags, value)
		case slices.Contains(noted, name):
			n.values[name] = value
		}
	}
	slices.Sort(n.tags)
	return n, nil
}
