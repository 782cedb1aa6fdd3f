package avro

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/avro"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Schema is a parsed Avro schema with its plan. It is safe for concurrent use.
type Schema struct {
	root    *node
	connect *connector.Schema
	writer  writer
	reader  reader
}

// Parse parses a schema and compiles its plan, with the options' zero value.
func Parse(text string, references ...string) (*Schema, error) {
	return Options{}.Parse(text, references...)
}

// Parse parses a schema and compiles its plan. References are the texts of the
// schemas whose named types it uses, each after those that it uses itself.
func (o Options) Parse(text string, references ...string) (*Schema, error) {
	var cache avro.SchemaCache
	for _, r := range references {
		if _, err := cache.Parse(r); err != nil {
			return nil, fmt.Errorf("avro schema: reference: %w", err)
		}
	}
	parsed, err := cache.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	t := tree{named: map[string]*node{}, options: &o}
	root, err := t.build(parsed.Root(), "")
	if err == nil {
		err = t.endless()
	}
	if err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	s := &Schema{root: root}
	if s.connect, err = toConnect(root, false); err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	if s.writer, err = compileWriter(root); err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	if s.reader, err = compileReader(root, s.connect); err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	return s, nil
}

// Name gives the full name of a record, enum or fixed schema, empty for others.
func (s *Schema) Name() string { return s.root.name }

// Connect gives the schema of the values that Decode gives.
func (s *Schema) Connect() *connector.Schema { return s.connect }

// kind is an Avro type.
type kind int8

const (
	kindNull kind = iota
	kindBoolean
	kindInt
	kindLong
	kindFloat
	kindDouble
	kindBytes
	kindString
	kindRecord
	kindEnum
	kindArray
	kindMap
	kindUnion
	kindFixed
)

var kindNames = [...]string{"null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "array", "map", "union", "fixed"}

var kinds = func() map[string]kind {
	m := map[string]kind{"error": kindRecord}
	for i, n := range kindNames {
		m[n] = kind(i)
	}
	return m
}()

func (k kind) String() string { return kindNames[k] }

// node is a part of a schema with its names resolved.
type node struct {
	kind     kind
	name     string // full, of the named types
	logical  string // only where it changes the value: see logicalOf
	doc      string
	props    map[string]any
	fields   []field
	elem     *node // of arrays and maps
	branches []*node
	symbols  []string
	size     int
	scale    int
	prec     int
	tick     time.Duration // of a number that counts them, but is no time in Connect
	tickOf   string        // the Connect time that is written into it
	general  string        // name of a union
	single   bool          // a union of one type that is read as that one
	options  *Options
	loop     *loop // of a record that can hold itself, nil of others
}

type field struct {
	name       string
	aliases    []string
	node       *node
	doc        string
	def        any // of Avro's own Go types
	hasDefault bool
}

// tree builds nodes.
type tree struct {
	options *Options
	named   map[string]*node
	open    []*node // records that are being built, outermost first
	unions  int
}

func (t *tree) build(n *avro.SchemaNode, namespace string) (*node, error) {
	k, ok := kinds[n.Type]
	if !ok {
		return t.reference(n.Type, namespace)
	}
	out := &node{kind: k, doc: n.Doc, props: n.Props, symbols: n.Symbols, size: n.Size, scale: n.Scale, prec: n.Precision, options: t.options}
	out.logical = logicalOf(k, n.LogicalType)
	if unit, ok := ticks[n.LogicalType]; ok && k == kindLong {
		out.tick, out.tickOf = unit, connector.TimestampName
		if n.LogicalType == timeMicros {
			out.tickOf = connector.TimeName
		}
	}
	switch k {
	case kindRecord, kindEnum, kindFixed:
		out.name = fullName(n.Name, n.Namespace)
		t.named[out.name] = out
		namespace = n.Namespace
		if i := strings.LastIndexByte(out.name, '.'); i >= 0 {
			namespace = out.name[:i]
		}
	}
	var err error
	switch k {
	case kindRecord:
		err = t.buildFields(out, n, namespace)
	case kindArray:
		out.elem, err = t.build(n.Items, namespace)
	case kindMap:
		out.elem, err = t.build(n.Values, namespace)
	case kindUnion:
		out.single = len(n.Branches) == 1 && n.Branches[0].Type != kindNull.String() && !t.options.KeepSingletons
		t.unions++
		out.general = generalName + strconv.Itoa(t.unions)
		out.branches = make([]*node, len(n.Branches))
		for i := range n.Branches {
			if out.branches[i], err = t.build(&n.Branches[i], namespace); err != nil {
				return nil, err
			}
		}
	}
	return out, err
}

func (t *tree) buildFields(out *node, n *avro.SchemaNode, namespace string) error {
	t.open = append(t.open, out)
	out.fields = make([]field, len(n.Fields))
	for i, f := range n.Fields {
		part, err := t.build(&f.Type, namespace)
		if err != nil {
			return err
		}
		out.fields[i] = field{name: f.Name, aliases: f.Aliases, node: part, doc: f.Doc, def: f.Default, hasDefault: f.HasDefault}
	}
	t.open = t.open[:len(t.open)-1]
	return nil
}

func (t *tree) reference(name, namespace string) (*node, error) {
	full := fullName(name, namespace)
	n, ok := t.named[full]
	if !ok {
		if n, ok = t.named[name]; !ok {
			return nil, fmt.Errorf("type %s is not defined", full)
		}
	}
	if slices.Contains(t.open, n) && n.loop == nil {
		n.loop = new(loop)
	}
	return n, nil
}

func fullName(name, namespace string) string {
	if namespace == "" || strings.Contains(name, ".") {
		return name
	}
	return namespace + "." + name
}

// The logical types that change a value; others are their plain type, as in
// Confluent's converter.
const (
	decimal         = "decimal"
	date            = "date"
	timeMillis      = "time-millis"
	timestampMillis = "timestamp-millis"
	timeMicros      = "time-micros"
)

// ticks are the logical types of long that are plain numbers in Connect, as in
// Confluent's converter: it has no finer times than milliseconds, and none
// without a zone. A Connect time is written into them in their own unit.
var ticks = map[string]time.Duration{
	timeMicros:               time.Microsecond,
	"timestamp-micros":       time.Microsecond,
	"timestamp-nanos":        time.Nanosecond,
	"local-timestamp-millis": time.Millisecond,
	"local-timestamp-micros": time.Microsecond,
	"local-timestamp-nanos":  time.Nanosecond,
}

// logicalOf gives the logical type where it is one of those above on a type that
// may have it, empty otherwise.
func logicalOf(k kind, logical string) string {
	switch {
	case logical == decimal && (k == kindBytes || k == kindFixed),
		(logical == date || logical == timeMillis) && k == kindInt,
		logical == timestampMillis && k == kindLong:
		return logical
	}
	return ""
}

// optional gives the other branch of a union of null and one type, nil for others.
func (n *node) optional() (other *node, null int) {
	if n.kind != kindUnion || len(n.branches) != 2 {
		return nil, 0
	}
	for i, b := range n.branches {
		if b.kind == kindNull && n.branches[1-i].kind != kindNull {
			return n.branches[1-i], i
		}
	}
	return nil, 0
}

// describe names a node's type as an error shows it.
func (n *node) describe() string {
	switch {
	case n.logical != "":
		return n.kind.String() + " (" + n.logical + ")"
	case n.name != "":
		return n.kind.String() + " " + n.name
	}
	return n.kind.String()
}
