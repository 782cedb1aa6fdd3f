package values

import "github.com/axiom-data-science/hydraulics/connector"

// merger finds the schema that all elements have in common. Once there is none
// it looks no further.
type merger struct {
	common *connector.Schema
	failed bool
}

func (m *merger) merge(s *connector.Schema) {
	switch {
	case s == nil || m.failed:
	case m.common == nil:
		m.common = s
	default:
		m.common = common(m.common, s)
		m.failed = m.common == nil
	}
}

// align converts a value to the schema in common, if there is one.
func (m *merger) align(v any) (any, error) {
	if m.common == nil {
		return v, nil
	}
	return convertTo(m.common, v)
}

// common gives the wider of two numbers, or the newer of two schemas of a type.
func common(old, s *connector.Schema) *connector.Schema {
	numeric := func(t connector.Type) bool { return t >= connector.Int8 && t <= connector.Float64 }
	if a, b := old.Type(), s.Type(); a != b {
		switch {
		case !numeric(a) || !numeric(b):
			return nil
		case a > b:
			return old
		}
		return s
	}
	if old.Optional() {
		return old
	}
	return s
}
