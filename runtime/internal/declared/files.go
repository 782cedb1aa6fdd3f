// Package declared makes the connectors of a worker those that files declare. What
// belongs to a set of files says so in its configuration ([config.SetKey]), so that
// what is gone from the files can be told from what others made.
package declared

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// endings are those of the files that are read of a folder.
var endings = []string{".yaml", ".yml", ".properties", ".json"}

// IsFile tells whether a name is that of a file of configurations.
func IsFile(name string) bool { return slices.Contains(endings, strings.ToLower(filepath.Ext(name))) }

// Read gives the connectors of files, and of the files of folders. What else these
// say, of workers, is not looked at. The error names all that is wrong.
func Read(paths []string) ([]config.Connector, error) {
	setup := new(config.Setup)
	var errs []error
	for _, path := range paths {
		files, err := filesOf(path)
		if err != nil {
			return nil, err
		}
		before := len(setup.Connectors)
		for _, file := range files {
			if err := setup.ReadFile(file, config.AnyRole); err != nil {
				errs = append(errs, err)
			}
		}
		if len(setup.Connectors) == before && len(errs) == 0 && len(setup.Problems) == 0 {
			errs = append(errs, fmt.Errorf("%s: it declares no connector: want connectors: in YAML, or a file with connector.class", path))
		}
	}
	for _, p := range setup.Problems {
		if !p.Warning {
			errs = append(errs, p)
		}
	}
	return setup.Connectors, errors.Join(errs...)
}

// filesOf gives a file, or the files of a folder in the order of their names.
func filesOf(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && IsFile(e.Name()) {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	return files, nil
}
