package connector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// KeyType is the type of a configuration key; the names are Kafka's.
type KeyType string

// The key types, and the Go type of a parsed value.
const (
	BooleanKey  KeyType = "BOOLEAN"  // bool
	StringKey   KeyType = "STRING"   // string
	IntKey      KeyType = "INT"      // int32
	ShortKey    KeyType = "SHORT"    // int16
	LongKey     KeyType = "LONG"     // int64
	DoubleKey   KeyType = "DOUBLE"   // float64
	ListKey     KeyType = "LIST"     // []string
	ClassKey    KeyType = "CLASS"    // string, the name of a plugin
	PasswordKey KeyType = "PASSWORD" // Password
)

// Importance ranks keys in generated references.
type Importance string

// The importances; the names are Kafka's.
const (
	High   Importance = "HIGH"
	Medium Importance = "MEDIUM"
	Low    Importance = "LOW"
)

// Key defines one configuration key.
type Key struct {
	Name string
	Type KeyType
	// Default is the value of an absent key, of the key's Go type (int is taken
	// for the integer types) or text that parses as such. With Required unset
	// a nil Default is a key that may be absent and is null then: its Check has
	// to take null, see [Optional].
	Default any
	// Required makes an absent key an error.
	Required   bool
	Importance Importance
	Doc        string
	Group      string
	// Order is the place within the group. Keys of a group that set none are
	// numbered from 0 as they come; a key without group has -1.
	Order       int
	Width       string // NONE, SHORT, MEDIUM or LONG; empty is NONE
	DisplayName string // empty is the name
	// Distinct is for a list whose entries must not repeat: [ConfigDef.Validate]
	// leaves a repeated one to Check to report, [ConfigDef.Parse] drops it.
	Distinct bool
	// Deferred is for a ClassKey whose plugin is looked up by who uses it, in a
	// registry of its own, and not in [Plugins] when the key is parsed.
	Deferred bool
	// Path tells that the value is the path of a file or folder. The runtime
	// makes a relative one absolute: it starts from the file that holds the
	// configuration, or names a default that is part of the program.
	Path bool
	// Extension tells that the Java plugin whose class this one answers to does
	// not know the key. The REST API shows it where it is written only, so that
	// Java's clients see what they know.
	Extension bool
	// Check validates a parsed value (which may be nil); its error is the reason
	// that follows "Invalid value x for configuration k: ".
	Check Check
	// Dependents are keys whose recommended values or visibility depend on this.
	Dependents []string
	// Recommend gives valid values and visibility, from all parsed values; nil
	// is no recommendation.
	Recommend func(values map[string]any) (recommended []any, visible bool)
}

// Check validates a parsed value, which may be nil. The error is a reason,
// written as Kafka's are, or a [Sentence].
type Check func(name string, value any) error

// ConfigDef defines the keys of a plugin's configuration in order.
type ConfigDef struct {
	keys  []Key
	index map[string]int
}

// NewConfigDef makes a definition. It panics on a repeated key and a default
// that its own type or check refuses: mistakes in the plugin.
func NewConfigDef(keys ...Key) *ConfigDef {
	d := &ConfigDef{index: map[string]int{}}
	for _, k := range keys {
		d.add(k)
	}
	return d
}

func (d *ConfigDef) add(k Key) {
	if _, dup := d.index[k.Name]; dup {
		panic("connector: Configuration " + k.Name + " is defined twice.")
	}
	if k.Default != nil {
		v, err := k.value(k.Default)
		if err != nil {
			panic("connector: default: " + err.Error())
		}
		k.Default = v
	}
	if k.Check != nil && !k.Required {
		if err := k.Check(k.Name, k.Default); err != nil {
			panic("connector: default: " + refusal(k.Name, k.Default, err))
		}
	}
	if k.Importance == "" {
		k.Importance = Medium
	}
	if k.Width == "" {
		k.Width = "NONE"
	}
	switch {
	case k.Group == "":
		k.Order = -1
	case k.Order == 0:
		for _, other := range d.keys {
			if other.Group == k.Group {
				k.Order++
			}
		}
	}
	if k.DisplayName == "" {
		k.DisplayName = k.Name
	}
	d.index[k.Name] = len(d.keys)
	d.keys = append(d.keys, k)
}

// With gives a definition with further keys.
func (d *ConfigDef) With(keys ...Key) *ConfigDef {
	n := &ConfigDef{keys: slices.Clone(d.keys), index: map[string]int{}}
	for i, k := range n.keys {
		n.index[k.Name] = i
	}
	for _, k := range keys {
		n.add(k)
	}
	return n
}

// Keys gives the keys in order. The slice is not to be changed.
func (d *ConfigDef) Keys() []Key { return d.keys }

// Key finds a key by name.
func (d *ConfigDef) Key(name string) (Key, bool) {
	i, ok := d.index[name]
	if !ok {
		return Key{}, false
	}
	return d.keys[i], true
}

// Value is what validation says of one key.
type Value struct {
	Key         string
	Value       any // parsed; nil when it could not be
	Recommended []any
	Errors      []string
	Visible     bool
}

// Validate checks every key and reports everything wrong, one Value per key in
// the definition's order, then one per dependent that is not defined.
func (d *ConfigDef) Validate(props Props) []Value {
	values := d.validate(props, false)
	for _, name := range d.undefined() {
		values = append(values, Value{Key: name, Errors: []string{name + " is referred in the dependents, but not defined."}})
	}
	return values
}

// undefined gives the dependents of keys that are no keys.
func (d *ConfigDef) undefined() []string {
	var names []string
	for _, k := range d.keys {
		for _, name := range k.Dependents {
			if _, there := d.index[name]; !there && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (d *ConfigDef) validate(props Props, lenient bool) []Value {
	parsed := map[string]any{}
	values := make([]Value, len(d.keys))
	for i, k := range d.keys {
		v := &values[i]
		v.Key, v.Visible = k.Name, true
		v.Value, v.Errors = k.parse(props, lenient)
		parsed[k.Name] = v.Value
	}
	for i, k := range d.keys {
		if k.Recommend == nil {
			continue
		}
		v := &values[i]
		v.Recommended, v.Visible = k.Recommend(parsed)
		if v.Value != nil && len(v.Recommended) > 0 && !slices.ContainsFunc(v.Recommended, func(r any) bool { return ValuesEqual(r, v.Value) }) {
			v.Errors = append(v.Errors, Invalid(k.Name, v.Value, "Invalid value, recommended values are "+recommendedText(v.Recommended)))
		}
	}
	return values
}

func recommendedText(vs []any) string {
	texts := make([]string, len(vs))
	for i, v := range vs {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ", ")
}

// value parses one value of the key.
func (k Key) value(v any) (any, error) {
	if text, ok := v.(string); ok && k.Type == ClassKey && k.Deferred {
		return trimmed(text), nil
	}
	return ParseType(k.Name, v, k.Type)
}

// parse gives a key's value and what is wrong with it. As in Kafka a value that
// is missing or cannot be parsed counts as null and is then checked like any
// other.
func (k Key) parse(props Props, lenient bool) (value any, errs []string) {
	text, given := props[k.Name]
	switch {
	case given:
		v, err := k.value(text)
		if err != nil {
			errs = append(errs, err.Error())
		}
		value = v
	case k.Required:
		errs = append(errs, fmt.Sprintf("Missing required configuration %q which has no default value.", k.Name))
	default:
		value = k.Default
	}
	if list, ok := value.([]string); ok && k.Distinct && lenient {
		value = distinct(list)
	}
	if k.Check != nil {
		if err := k.Check(k.Name, value); err != nil {
			errs = append(errs, refusal(k.Name, value, err))
		}
	}
	return value, errs
}

// refusal gives the whole text for what a check said.
func refusal(name string, value any, err error) string {
	if s, ok := errors.AsType[Sentence](err); ok {
		return string(s)
	}
	return Invalid(name, value, err.Error())
}

// distinct gives a list without its repeated entries.
func distinct(list []string) []string {
	kept := make([]string, 0, len(list))
	for _, s := range list {
		if !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// Parse parses a configuration. Its error is fatal and names everything wrong
// at once. Unknown keys are not an error.
func (d *ConfigDef) Parse(props Props) (Config, error) {
	conf, p := d.Check(props)
	return conf, p.Err()
}

// Check parses a configuration as far as it can and gives the problems.
func (d *ConfigDef) Check(props Props) (Config, *Problems) {
	conf := Config{values: make(map[string]any, len(d.keys)), props: props}
	p := new(Problems)
	if names := d.undefined(); len(names) > 0 {
		p.Add("", "Some configurations in are referred in the dependents, but not defined: %s", strings.Join(names, ","))
	}
	for _, v := range d.validate(props, true) {
		conf.values[v.Key] = v.Value
		for _, e := range v.Errors {
			p.list = append(p.list, Problem{Key: v.Key, Message: e})
		}
	}
	return conf, p
}

// ParsePlugin parses a plugin's configuration by its definition and, where the
// plugin is a [Validator], across keys too: everything wrong is reported at once.
func ParsePlugin(p Plugin, props Props) (Config, error) {
	conf, problems := CheckPlugin(p, props)
	return conf, Coded("H1009", problems.Err())
}

// CheckPlugin is ParsePlugin that gives the problems one by one.
func CheckPlugin(p Plugin, props Props) (Config, *Problems) {
	conf, problems := p.ConfigDef().Check(props)
	if v, ok := p.(Validator); ok {
		v.Validate(conf, problems)
	}
	return conf, problems
}
