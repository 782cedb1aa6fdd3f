package protobuf

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Incompatibilities says in words what makes a schema unable to read what an
// earlier one has written, by the rules of Confluent's registry: fields are known
// by their numbers, and may come, go and be renamed; what must stay is the package,
// the messages, each field's kind, required fields, and what excludes what.
func Incompatibilities(earlier, later protoreflect.FileDescriptor) []string {
	c := &comparison{open: map[[2]protoreflect.FullName]bool{}}
	if earlier.Package() != later.Package() {
		c.add("PACKAGE_CHANGED", "/", "the package was %q and is %q", earlier.Package(), later.Package())
	}
	c.messages("#", earlier.Messages(), later.Messages())
	return c.found
}

type comparison struct {
	found []string
	open  map[[2]protoreflect.FullName]bool // that are being compared
}

func (c *comparison) add(kind, path, format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf("%s at %s: %s", kind, path, fmt.Sprintf(format, args...)))
}

func (c *comparison) messages(path string, earlier, later protoreflect.MessageDescriptors) {
	for _, old := range named(earlier) {
		at := path + "/" + string(old.Name())
		now := later.ByName(old.Name())
		if now == nil {
			c.add("MESSAGE_REMOVED", at, "the message is gone")
			continue
		}
		c.message(at, old, now)
	}
}

func (c *comparison) message(path string, old, now protoreflect.MessageDescriptor) {
	pair := [2]protoreflect.FullName{old.FullName(), now.FullName()}
	if c.open[pair] {
		return
	}
	c.open[pair] = true
	defer delete(c.open, pair)
	before, after := byNumber(old), byNumber(now)
	c.exclusions(path, before, now)
	for _, number := range slices.Sorted(maps.Keys(both(before, after))) {
		was, is := before[number], after[number]
		at := fmt.Sprintf("%s/%d", path, number)
		switch {
		case is == nil && was.Cardinality() == protoreflect.Required:
			c.add("REQUIRED_FIELD_REMOVED", at, "field %s is gone", was.Name())
		case is == nil && realOneof(was) != nil && !goneWhole(realOneof(was), after, now):
			c.add("ONEOF_FIELD_REMOVED", at, "field %s of oneof %s is gone", was.Name(), realOneof(was).Name())
		case was == nil && is.Cardinality() == protoreflect.Required:
			c.add("REQUIRED_FIELD_ADDED", at, "field %s is new and required", is.Name())
		case was != nil && is != nil:
			c.field(at, was, is)
		}
	}
	c.messages(path, old.Messages(), now.Messages())
}

// exclusions finds fields that could be set together and no longer can.
func (c *comparison) exclusions(path string, before map[protoreflect.FieldNumber]protoreflect.FieldDescriptor, now protoreflect.MessageDescriptor) {
	for i := range now.Oneofs().Len() {
		oneof := now.Oneofs().Get(i)
		if oneof.IsSynthetic() {
			continue
		}
		groups, alone := map[string]bool{}, 0
		for j := range oneof.Fields().Len() {
			number := oneof.Fields().Get(j).Number()
			was := before[number]
			switch {
			case was == nil:
			case realOneof(was) != nil:
				groups["oneof "+string(realOneof(was).Name())] = true
			default:
				groups[fmt.Sprint(number)] = true
				alone++
			}
		}
		at := fmt.Sprintf("%s/%s", path, oneof.Name())
		switch {
		case len(groups) > 1 && alone > 1:
			c.add("MULTIPLE_FIELDS_MOVED_TO_ONEOF", at, "fields that could be set together are in a oneof")
		case len(groups) > 1:
			c.add("FIELD_MOVED_TO_EXISTING_ONEOF", at, "a field has come into a oneof that there was")
		}
	}
}

// goneWhole tells whether a oneof has gone with all its fields, which leaves nobody in doubt.
func goneWhole(oneof protoreflect.OneofDescriptor, after map[protoreflect.FieldNumber]protoreflect.FieldDescriptor, now protoreflect.MessageDescriptor) bool {
	if now.Oneofs().ByName(oneof.Name()) != nil {
		return false
	}
	for i := range oneof.Fields().Len() {
		if after[oneof.Fields().Get(i).Number()] != nil {
			return false
		}
	}
	return true
}

func (c *comparison) field(path string, was, is protoreflect.FieldDescriptor) {
	old, now := kindOf(was), kindOf(is)
	switch {
	case old.group != now.group:
		c.add("FIELD_KIND_CHANGED", path, "field %s was %s and is %s", was.Name(), old, now)
	case old.group == "map":
		c.field(path, was.MapKey(), is.MapKey())
		c.field(path, was.MapValue(), is.MapValue())
	case old.group == "message":
		c.messageField(path, was, is)
	case old.scalar != now.scalar:
		c.add("FIELD_SCALAR_KIND_CHANGED", path, "field %s was %s and is %s", was.Name(), old, now)
	case old.scalar != "string or bytes" && labelled(was) && labelled(is) && was.IsList() != is.IsList():
		c.add("FIELD_NUMERIC_LABEL_CHANGED", path, "field %s was repeated or is, not both", was.Name())
	}
}

// labelled tells whether a field's statement has a label, as repeated: Confluent compares only those.
func labelled(f protoreflect.FieldDescriptor) bool { return f.IsList() || f.HasOptionalKeyword() }

func (c *comparison) messageField(path string, was, is protoreflect.FieldDescriptor) {
	old, now := was.Message(), is.Message()
	if local(old) != local(now) {
		c.add("FIELD_NAMED_TYPE_CHANGED", path, "field %s was %s and is %s", was.Name(), old.FullName(), now.FullName())
		return
	}
	if old.ParentFile() == was.ParentFile() && now.ParentFile() == is.ParentFile() {
		return // which is compared in its own place
	}
	before := len(c.found)
	c.message(path, old, now)
	if len(c.found) > before {
		c.add("FIELD_NAMED_TYPE_CHANGED", path, "the message %s of field %s is another", now.FullName(), is.Name())
	}
}

// local gives a message's name without its file's package.
func local(m protoreflect.MessageDescriptor) string {
	return strings.TrimPrefix(string(m.FullName()), string(m.ParentFile().Package())+".")
}

// fieldKind is what may not change: scalars of one kind are read as each other.
type fieldKind struct{ group, scalar string }

func (k fieldKind) String() string { return strings.TrimSpace(k.group + " " + k.scalar) }

func kindOf(f protoreflect.FieldDescriptor) fieldKind {
	if f.IsMap() {
		return fieldKind{group: "map"}
	}
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return fieldKind{group: "message"}
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return fieldKind{"scalar", "signed number"}
	case protoreflect.StringKind, protoreflect.BytesKind:
		return fieldKind{"scalar", "string or bytes"}
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return fieldKind{"scalar", "fixed32"}
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return fieldKind{"scalar", "fixed64"}
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return fieldKind{"scalar", f.Kind().String()}
	}
	return fieldKind{"scalar", "number"}
}

// realOneof gives the oneof that a field was written in.
func realOneof(f protoreflect.FieldDescriptor) protoreflect.OneofDescriptor {
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return o
	}
	return nil
}

func byNumber(m protoreflect.MessageDescriptor) map[protoreflect.FieldNumber]protoreflect.FieldDescriptor {
	fields := map[protoreflect.FieldNumber]protoreflect.FieldDescriptor{}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		fields[f.Number()] = f
	}
	return fields
}

func both[K comparable, V any](a, b map[K]V) map[K]bool {
	all := map[K]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return all
}
