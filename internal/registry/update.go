package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/avro"
)

// File is one schema file.
type File struct {
	Name string // without its folder
	Text string
}

// FindFiles gives the schema files (*.avsc) at the top of a folder whose name is
// the given one or begins with it and a dash; "all" is every file. Finding none
// is an error that says which there are.
func FindFiles(dir fs.FS, name string) ([]File, error) {
	names, err := fs.Glob(dir, "*.avsc")
	if err != nil {
		return nil, fmt.Errorf("schema files: %w", err)
	}
	var files []File
	for _, n := range names {
		base := strings.TrimSuffix(path.Base(n), ".avsc")
		if name != "all" && base != name && n != name && !strings.HasPrefix(base, name+"-") {
			continue
		}
		text, err := fs.ReadFile(dir, n)
		if err != nil {
			return nil, fmt.Errorf("schema file: %w", err)
		}
		files = append(files, File{Name: n, Text: string(text)})
	}
	switch {
	case len(files) > 0:
		return files, nil
	case len(names) == 0:
		return nil, fmt.Errorf("schemas: there is no .avsc file in the folder")
	}
	return nil, fmt.Errorf("schemas: %q names none of %s (all names them all)", name, strings.Join(names, ", "))
}

// SubjectOf gives the subject of a schema file: its namespace with dashes for
// dots, a dash, and the name of its record.
func SubjectOf(text string) (string, error) {
	s, err := avro.Parse(text)
	if err != nil {
		return "", err
	}
	full := s.Name()
	i := strings.LastIndexByte(full, '.')
	if i < 0 {
		return "", fmt.Errorf("avro schema: it must be a record with a namespace and a name, which make its subject")
	}
	return strings.ReplaceAll(full[:i], ".", "-") + "-" + full[i+1:], nil
}

// Update registers schema files, each under its own subject, whose compatibility
// it sets first: to BACKWARD, or with force to NONE. It logs the id or the error
// of each and goes on to the next; the error names the files that failed.
func Update(ctx context.Context, c *Client, files []File, force bool, log *slog.Logger) error {
	level := Backward
	if force {
		level = None
	}
	var failed []error
	for _, f := range files {
		subject, s, err := updateOne(ctx, c, f, level)
		if err != nil {
			err = fmt.Errorf("%s: %w", f.Name, err)
			log.Error("schema not registered", "file", f.Name, "subject", subject, "error", err)
			failed = append(failed, err)
			continue
		}
		log.Info("schema registered", "file", f.Name, "subject", subject, "id", s.ID, "compatibility", string(level))
	}
	return errors.Join(failed...)
}

func updateOne(ctx context.Context, c *Client, f File, level Compatibility) (subject string, s Schema, err error) {
	if !json.Valid([]byte(f.Text)) {
		return "", s, fmt.Errorf("the file is not JSON")
	}
	if subject, err = SubjectOf(f.Text); err != nil {
		return "", s, err
	}
	if err := c.SetCompatibility(ctx, subject, level); err != nil {
		return subject, s, err
	}
	s, err = c.Register(ctx, subject, f.Text)
	return subject, s, err
}
