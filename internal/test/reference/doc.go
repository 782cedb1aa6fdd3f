// Package reference writes the documents that are made from the program itself:
// the pages of plugins from their definitions, the REST API's from its OpenAPI
// document, the failures' from their table, and llms.txt, which lists the
// documents. `make docs` writes them, and tests compare them.
package reference

import (
	"io/fs"
	"path"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/docs"
)

// generated stands below the title of each document that is written here.
const generated = "*Written by `make docs` from the program itself: change that.*"

// Pages gives the documents by their paths from the folder docs of the module at
// root, which holds the examples that they show.
func Pages(root fs.FS, plugins *connector.Registry) (map[string]string, error) {
	groups, err := subjects(plugins)
	if err != nil {
		return nil, err
	}
	examples, err := fs.Sub(root, "docs/plugins/examples")
	if err != nil {
		return nil, err
	}
	api, err := restPage(root)
	if err != nil {
		return nil, err
	}
	pages := map[string]string{"plugins/README.md": index(groups), "rest-api.md": api, "failures.md": failuresPage()}
	for _, g := range groups {
		for _, s := range g.subjects {
			text, err := s.page(examples)
			if err != nil {
				return nil, err
			}
			pages[path.Join("plugins", s.name+".md")] = text
		}
	}
	list, err := docs.LLMs()
	if err != nil {
		return nil, err
	}
	pages["../llms.txt"] = list
	return pages, nil
}
