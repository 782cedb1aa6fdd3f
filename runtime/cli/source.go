package cli

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// source is where a worker's configuration comes from, again and again: files, in
// their order, with the environment and --set over them.
type source struct {
	files []string
	sets  []string
	watch bool
	// distributed is that the worker shares connectors with others.
	distributed bool
	// roleOf tells what a file is taken for, by its place among the files.
	roleOf func(i int) config.Role
}

// addTo adds the flags that go over files.
func (s *source) addTo(c *cobra.Command) {
	c.Flags().StringArrayVar(&s.sets, "set", nil, "key=value for the worker, connectors.NAME.key=value for a connector")
	c.Flags().BoolVar(&s.watch, "watch", false, "reload the files when they change, as SIGHUP does")
}

// read reads everything anew.
func (s *source) read() (*config.Setup, error) {
	setup := &config.Setup{Distributed: s.distributed}
	for i, name := range s.files {
		if err := setup.ReadFile(name, s.roleOf(i)); err != nil {
			return nil, err
		}
	}
	if err := setup.ApplyEnv(os.Environ()); err != nil {
		return nil, err
	}
	for _, assignment := range s.sets {
		if err := setup.Set(assignment); err != nil {
			return nil, err
		}
	}
	return setup, nil
}
