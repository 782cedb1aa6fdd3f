// Package docs has the documents, which are files in this folder, and in the binary.
package docs

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

// FS holds the documents, and the examples and pictures that they show.
//
//go:embed *.md design/*.md plugins/*.md plugins/examples/*.yaml pictures/*.png
var FS embed.FS

// Index is the document that lists the others.
const Index = "README.md"

// LLMs gives the list of the documents for programs that read them, as llmstxt.org
// has it. Its links start from the folder that holds docs.
func LLMs() (string, error) {
	index, err := fs.ReadFile(FS, Index)
	if err != nil {
		return "", err
	}
	_, lists, _ := strings.Cut(string(index), "\n\n")
	var b strings.Builder
	b.WriteString("# hydraulics\n\n> A Kafka Connect worker in one Go binary, with a flow that classifies images of plankton. Configurations are YAML,\n" +
		"> or Kafka Connect's own .properties and JSON. Errors have codes that docs/failures.md explains.\n\n")
	b.WriteString(strings.ReplaceAll(lists, "](", "](docs/"))
	b.WriteString("\n## Optional\n\n")
	for _, folder := range []string{"plugins", "design"} {
		files, err := fs.Glob(FS, folder+"/*.md")
		if err != nil {
			return "", err
		}
		for _, file := range files {
			title, err := Title(file)
			if err != nil {
				return "", err
			}
			if path.Base(file) != Index {
				b.WriteString("- [" + title + "](docs/" + file + ")\n")
			}
		}
	}
	return b.String(), nil
}

// Title gives the heading of a document.
func Title(file string) (string, error) {
	text, err := fs.ReadFile(FS, file)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimPrefix(line, "# "), nil
}
