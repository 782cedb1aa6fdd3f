package herder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/state"
)

// kept is what the herder's file holds: the connectors made over REST, and
// what every connector is to do where that is not to run.
type kept struct {
	Connectors map[string]connector.Props `json:"connectors"`
	Targets    map[string]state.Target    `json:"targets"`
}

// load reads the file; one that is not there holds nothing.
func load(name string) (kept, error) {
	k := kept{Connectors: map[string]connector.Props{}, Targets: map[string]state.Target{}}
	if name == "" {
		return k, nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, err
	}
	if err := json.Unmarshal(data, &k); err != nil {
		return k, fmt.Errorf("%s: it does not hold connectors: %w; move it away to start without the connectors made over REST", name, err)
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
