package evaluate

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// WriteFiles writes a report in all formats, and the class of each image, into a folder that is made if need be.
func (r *Report) WriteFiles(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	write := func(name string, fill func(io.Writer) error) error {
		var text bytes.Buffer
		if err := fill(&text); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), text.Bytes(), 0o644)
	}
	for _, format := range Formats {
		name := "report." + strings.Replace(format, "text", "txt", 1)
		if err := write(name, func(w io.Writer) error { return r.Write(w, format) }); err != nil {
			return err
		}
	}
	return write("predictions.csv", r.WritePredictions)
}
