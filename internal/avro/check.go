package avro

import (
	"github.com/axiom-data-science/hydraulics/connector"
)

// Check tells whether values of a Connect schema can be written at all: that
// every field is there or has a default, and that no type is one that never
// fits. Null, and numbers beyond a range, are left to the values. Its error is of
// the kind data.
func (s *Schema) Check(from *connector.Schema) error {
	return connector.Data(check(s.root, from))
}

func check(n *node, from *connector.Schema) error {
	if from == nil || n.loop != nil && from.Cyclic() {
		return nil // the whole of the latter is checked where it stands
	}
	fits := false
	switch n.kind {
	case kindUnion:
		return checkUnion(n, from)
	case kindRecord:
		return checkRecord(n, from)
	case kindArray:
		if from.Type() == connector.Map && n.elem.isMapEntry() {
			return checkEntries(n, from)
		}
		if from.Type() == connector.Array {
			if err := check(n.elem, from.Elem()); err != nil {
				return in("[]", err)
			}
			return nil
		}
	case kindMap:
		if from.Type() == connector.Map && (from.Key() == nil || from.Key().Type() == connector.String) {
			if err := check(n.elem, from.Elem()); err != nil {
				return in("[]", err)
			}
			return nil
		}
	case kindBoolean:
		fits = from.Type() == connector.Boolean
	case kindInt, kindLong:
		fits = fitsInteger(n, from)
	case kindFloat, kindDouble:
		fits = from.Type() >= connector.Int8 && from.Type() <= connector.Float64 && !isTime(from)
	case kindString, kindEnum:
		fits = from.Type() == connector.String
	case kindBytes, kindFixed:
		fits = from.Type() == connector.Bytes && (n.logical == decimal) == (from.Name() == connector.DecimalName)
	}
	if !fits {
		return misfitf("expected %s, the value's schema says %s", n.describe(), describeConnect(from))
	}
	return nil
}

func isTime(s *connector.Schema) bool {
	return s.Name() == connector.DateName || s.Name() == connector.TimeName || s.Name() == connector.TimestampName
}

func fitsInteger(n *node, from *connector.Schema) bool {
	if isTime(from) && n.tick > 0 {
		return from.Name() == n.tickOf
	}
	if isTime(from) {
		return from.Name() == map[string]string{date: connector.DateName, timeMillis: connector.TimeName, timestampMillis: connector.TimestampName}[n.logical]
	}
	return from.Type() >= connector.Int8 && from.Type() <= connector.Int64
}

func checkUnion(n *node, from *connector.Schema) error {
	if other, _ := n.optional(); other != nil {
		return check(other, from)
	}
	var last error
	for _, b := range n.branches {
		if isUnion(from) {
			return nil // whose set field names the branch
		}
		if last = check(b, from); last == nil {
			return nil
		}
	}
	return misfitf("no branch of the union takes what the value's schema says, %s", describeConnect(from))
}

func checkRecord(n *node, from *connector.Schema) error {
	if from.Type() != connector.Object {
		if from.Type() == connector.Map {
			return nil // its keys are known with the values
		}
		return misfitf("expected %s, the value's schema says %s", n.describe(), describeConnect(from))
	}
	var missing []string
	for _, f := range n.fields {
		x, ok := n.find(from, f)
		if !ok {
			if !f.hasDefault {
				missing = append(missing, f.name)
			}
			continue
		}
		if err := check(f.node, x.Schema); err != nil {
			return in(f.name, err)
		}
	}
	return missingFields(n, missing)
}

func checkEntries(n *node, from *connector.Schema) error {
	if err := check(n.elem.fields[0].node, from.Key()); err != nil {
		return in("key", err)
	}
	if err := check(n.elem.fields[1].node, from.Elem()); err != nil {
		return in("[]", err)
	}
	return nil
}

func describeConnect(s *connector.Schema) string {
	if s.Name() != "" {
		return s.Type().String() + " " + s.Name()
	}
	return s.Type().String()
}
