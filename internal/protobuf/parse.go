package protobuf

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/jhump/protoreflect/v2/protoprint"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Import is a file that a schema imports: a reference in the registry.
type Import struct {
	Path string // as the import statement has it
	Text string
}

// rootPath is the name of a schema's own file, as in Confluent's registry.
const rootPath = "default"

// Parse reads a schema. Files that every registry has (google/protobuf, google/type and confluent) need not be given.
func Parse(text string, imports ...Import) (protoreflect.FileDescriptor, error) {
	texts := map[string]string{}
	for _, i := range imports {
		texts[i.Path] = i.Text
	}
	root := rootPath
	for texts[root] != "" {
		root += "_"
	}
	texts[root] = text
	compiler := protocompile.Compiler{
		MaxParallelism: 1,
		Resolver: protocompile.WithStandardImports(protocompile.ResolverFunc(func(path string) (protocompile.SearchResult, error) {
			text, ok := texts[path]
			if !ok {
				if text, ok = knownFiles[path]; !ok {
					return protocompile.SearchResult{}, fmt.Errorf("import %q: it is neither known nor among the references", path)
				}
			}
			return source(path, text), nil
		})),
	}
	files, err := compiler.Compile(context.Background(), root)
	if err != nil {
		return nil, err
	}
	return files[0], nil
}

// source gives a file's text, or its descriptor where the text is one in base64.
func source(path, text string) protocompile.SearchResult {
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil && len(raw) > 0 {
		file := new(descriptorpb.FileDescriptorProto)
		if proto.Unmarshal(raw, file) == nil {
			file.Name = proto.String(path)
			return protocompile.SearchResult{Proto: file}
		}
	}
	return protocompile.SearchResult{Source: io.Reader(strings.NewReader(mapEntry.ReplaceAllString(text, "")))}
}

// mapEntry is an option that Confluent's registry writes into the entries of
// maps, and compilers refuse. Without it they are messages like others.
var mapEntry = regexp.MustCompile(`option\s+map_entry\s*=\s*true\s*;`)

// described gives a file's descriptor without what does not count: names of
// fields in JSON that follow from their names.
func described(file protoreflect.FileDescriptor) *descriptorpb.FileDescriptorProto {
	p := protodesc.ToFileDescriptorProto(file)
	p.SourceCodeInfo, p.Name = nil, proto.String(rootPath)
	for _, m := range p.MessageType {
		withoutJSONNames(m)
	}
	return p
}

func withoutJSONNames(m *descriptorpb.DescriptorProto) {
	for _, f := range slices.Concat(m.Field, m.Extension) {
		f.JsonName = nil
	}
	for _, n := range m.NestedType {
		withoutJSONNames(n)
	}
}

// Identity tells schemas apart by what they say: white space and comments do not
// count. Normalized schemas are the same whatever the order of their fields,
// constants and imports.
func Identity(file protoreflect.FileDescriptor, normalized bool) ([sha256.Size]byte, error) {
	p := described(file)
	if normalized {
		normalize(p)
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
	return sha256.Sum256(raw), err
}

func normalize(p *descriptorpb.FileDescriptorProto) {
	if len(p.PublicDependency)+len(p.WeakDependency) == 0 { // which are indexes
		slices.Sort(p.Dependency)
	}
	for _, e := range p.EnumType {
		normalizeEnum(e)
	}
	for _, m := range p.MessageType {
		normalizeMessage(m)
	}
}

func normalizeMessage(m *descriptorpb.DescriptorProto) {
	slices.SortFunc(m.Field, func(a, b *descriptorpb.FieldDescriptorProto) int { return int(a.GetNumber() - b.GetNumber()) })
	for _, e := range m.EnumType {
		normalizeEnum(e)
	}
	for _, n := range m.NestedType {
		normalizeMessage(n)
	}
}

// normalizeEnum leaves the first constant in its place, which is the default.
func normalizeEnum(e *descriptorpb.EnumDescriptorProto) {
	if len(e.Value) > 1 {
		slices.SortStableFunc(e.Value[1:], func(a, b *descriptorpb.EnumValueDescriptorProto) int { return int(a.GetNumber() - b.GetNumber()) })
	}
}

// Serialized gives a file's descriptor in base64, the form that clients ask for who cannot read .proto files.
func Serialized(file protoreflect.FileDescriptor) (string, error) {
	p := protodesc.ToFileDescriptorProto(file)
	p.SourceCodeInfo = nil
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
	return base64.StdEncoding.EncodeToString(raw), err
}

// Text gives a schema as the text of a .proto file: itself, or what a descriptor in base64 says.
func Text(text string, file protoreflect.FileDescriptor) (string, error) {
	if source("", text).Proto == nil {
		return strings.TrimSpace(text) + "\n", nil
	}
	return Print(file)
}

// Print gives a descriptor as the text of a .proto file.
func Print(file protoreflect.FileDescriptor) (string, error) {
	return (&protoprint.Printer{Compact: true}).PrintProtoToString(file)
}

// errNoMessage is said of a schema without messages.
var errNoMessage = errors.New("the schema has no message")

// Message finds a message by its indexes, none of which is the first message. Clients that work with descriptors count the
// entries of maps, which those that work with .proto files do not see: indexes that lead to such an entry or nowhere are
// those of the latter.
func Message(file protoreflect.FileDescriptor, indexes []int) (protoreflect.MessageDescriptor, error) {
	if len(indexes) == 0 {
		indexes = []int{0}
	}
	if m, err := walk(file, indexes, all); err == nil && !m.IsMapEntry() {
		return m, nil
	}
	return walk(file, indexes, named)
}

func walk(file protoreflect.FileDescriptor, indexes []int, count func(protoreflect.MessageDescriptors) []protoreflect.MessageDescriptor) (protoreflect.MessageDescriptor, error) {
	var found protoreflect.MessageDescriptor
	list := file.Messages()
	for _, index := range indexes {
		messages := count(list)
		if len(messages) == 0 && found == nil {
			return nil, errNoMessage
		}
		if index < 0 || index >= len(messages) {
			return nil, fmt.Errorf("message indexes %v: there are %d messages, not one of index %d", indexes, len(messages), index)
		}
		found = messages[index]
		list = found.Messages()
	}
	return found, nil
}

// Indexes gives the indexes of a message, outermost first.
func Indexes(m protoreflect.MessageDescriptor) []int {
	var indexes []int
	for {
		parent, nested := m.Parent().(protoreflect.MessageDescriptor)
		list := m.ParentFile().Messages()
		if nested {
			list = parent.Messages()
		}
		for i, other := range all(list) {
			if other.FullName() == m.FullName() {
				indexes = append(indexes, i)
			}
		}
		if !nested {
			slices.Reverse(indexes)
			return indexes
		}
		m = parent
	}
}

func all(list protoreflect.MessageDescriptors) []protoreflect.MessageDescriptor {
	found := make([]protoreflect.MessageDescriptor, list.Len())
	for i := range found {
		found[i] = list.Get(i)
	}
	return found
}

// named gives the messages that are no entries of maps.
func named(list protoreflect.MessageDescriptors) []protoreflect.MessageDescriptor {
	var found []protoreflect.MessageDescriptor
	for i := range list.Len() {
		if m := list.Get(i); !m.IsMapEntry() {
			found = append(found, m)
		}
	}
	return found
}
