package herder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// kept is what the herder's file holds: the connectors made over REST, and
// what every connector is to do where that is not to run.
type kept struct {
	Connectors map[string]connector.Props `json:"connectors"`
	Targets    map[string]state.Target    `json:"targets"`
}

// load reads the file; one that is not there holds nothing.
func load(name string) (kept, error) {
	var k kept
	if name != "" {
		data, err := os.ReadFile(name)
		if err == nil {
			if err = json.Unmarshal(data, &k); err != nil {
				err = fmt.Errorf("%s: it does not hold connectors: %w; move it away to start without the connectors made over REST", name, err)
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return k, err
		}
	}
	if k.Connectors == nil {
		k.Connectors = map[string]connector.Props{}
	}
	if k.Targets == nil {
		k.Targets = map[string]state.Target{}
	}
	return k, nil
}

// save replaces the file. It may hold secrets that were sent over REST, so
// only its owner reads it.
func (k kept) save(name string) error {
	if name == "" {
		return nil
	}
	data, err := json.MarshalIndent(k, "", " ")
	if err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".part-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = part.Write(append(data, '\n'))
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return os.Rename(part.Name(), name)
}
