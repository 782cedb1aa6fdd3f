package avro

import (
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
)

// maxNested bounds how deep values of a record may hold each other, as encoding/json
// does: a few bytes of bad data ask for one more.
const maxNested = 10000

func tooDeep(s *connector.Schema) error {
	return misfitf("record %s holds itself more than %d deep", s.Name(), maxNested)
}

// loop is what is compiled once of a record that can hold itself.
type loop struct {
	self   *connector.Schema // a reference while its schema is made, then that schema
	writer *recordWriter
	reader *recordReader
}

// toConnect gives the record's schema: where it comes up within itself a reference.
func (l *loop) toConnect(n *node) (*connector.Schema, error) {
	if l.self != nil {
		return l.self, nil
	}
	var err error
	l.self, err = connector.Recursive(func(self *connector.Schema) (*connector.Schema, error) {
		l.self = self
		s, err := recordToConnect(n)
		if err != nil {
			return nil, err
		}
		return withAttributes(s, n)
	})
	return l.self, err
}

// endless names a record of which every value holds another one of itself.
func (t *tree) endless() error {
	seen := map[*node]bool{} // true while it is open
	var visit func(n *node) error
	visit = func(n *node) error {
		if open, before := seen[n]; open {
			return fmt.Errorf("record %s always holds itself, so that no value of it ends: let a field be null", n.name)
		} else if before {
			return nil
		}
		seen[n] = true
		for _, f := range n.fields {
			if err := visit(f.node); err != nil {
				return err
			}
		}
		seen[n] = false
		return nil
	}
	for _, n := range t.named {
		if err := visit(n); err != nil {
			return err
		}
	}
	return nil
}
