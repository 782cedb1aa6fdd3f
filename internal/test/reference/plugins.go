package reference

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// kinds are the types of plugins in the order of the index, and what it calls them.
var kinds = []struct {
	of    connector.PluginType
	title string
}{
	{connector.SourceType, "Sources"},
	{connector.SinkType, "Sinks"},
	{connector.TransformType, "Transforms"},
	{connector.PredicateType, "Predicates"},
	{connector.ConverterType, "Converters"},
	{connector.HeaderConverterType, "Header converters"},
}

// subject is what one page is about: a plugin, under all types and for both the key
// and the value of a record, or what all connectors of a kind have.
type subject struct {
	name    string // of the page and its example
	title   string
	doc     string
	version string
	names   [][2]string // kinds, and what the plugin is called as such
	def     *connector.ConfigDef
	// families are keys that begin alike, beside those of def.
	families []config.Family
	// more names the page with the keys that the framework adds, empty for none.
	more string
}

// group is subjects of one type.
type group struct {
	title    string
	subjects []*subject
}

// subjects gives what there are pages for.
func subjects(plugins *connector.Registry) ([]group, error) {
	worker := &subject{name: "worker", title: "The worker", doc: "Runs connectors. These are the keys of its own file, under worker: in YAML.",
		def: config.WorkerDef(), families: config.Families("worker")}
	stream := &subject{name: config.StreamClass, title: "stream", doc: "Reads topics, transforms records and writes them to a topic.",
		version: config.Version, names: [][2]string{{"stream", code(config.StreamClass)}}, def: config.StreamDef(), families: config.Families("stream")}
	groups := []group{{"The worker and connectors", []*subject{worker, stream}}}
	for _, kind := range []string{"source", "sink"} {
		groups[0].subjects = append(groups[0].subjects, &subject{name: "every-" + kind, title: "Every " + kind,
			doc: "Keys that the worker adds to those of each " + kind + ".", def: config.Def(kind), families: config.Families(kind)})
	}
	there := map[string]*subject{}
	for _, k := range kinds {
		g := group{title: k.title}
		for _, info := range plugins.List(k.of) {
			name := strings.TrimSuffix(info.Name, ".key")
			s, known := there[name]
			if !known {
				plugin, err := plugins.New(k.of, info.Name)
				if err != nil {
					return nil, err
				}
				s = &subject{name: name, title: name, doc: info.Doc, def: plugin.ConfigDef()}
				if k.of == connector.SourceType || k.of == connector.SinkType {
					s.more = "every-" + string(k.of)
				}
				there[name] = s
			}
			if !slices.Contains(g.subjects, s) {
				g.subjects = append(g.subjects, s)
			}
			s.note(k.of, info)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// note adds the names of a plugin: of its further types, and of the key's.
func (s *subject) note(of connector.PluginType, info connector.Info) {
	var others []string
	for _, name := range append([]string{info.Class}, info.Aliases...) {
		if name != "" {
			others = append(others, code(name))
		}
	}
	names := code(info.Name)
	if len(others) > 0 {
		names += ", also " + strings.Join(others, ", ")
	}
	s.version = info.Version
	s.names = append(s.names, [2]string{strings.ReplaceAll(string(of), "_", " "), names})
}

// page writes the page of a subject. examples holds NAME.yaml and, where records are
// shown, NAME.test.yaml, which say what they show in the comments that they begin with.
func (s *subject) page(examples fs.FS) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n%s", s.title, generated, s.doc)
	if s.version != "" {
		fmt.Fprintf(&b, " This is version %s.", s.version)
	}
	b.WriteString("\n\n")
	if len(s.names) > 0 {
		b.WriteString("| kind | names |\n|---|---|\n")
		for _, n := range s.names {
			fmt.Fprintf(&b, "| %s | %s |\n", n[0], cell(n[1]))
		}
		b.WriteString("\n")
	}
	if err := s.example(&b, examples); err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "## Keys\n\n")
	if len(s.def.Keys()) == 0 {
		b.WriteString("It has none.\n")
	} else {
		b.WriteString("| key | type | default | allowed | importance | what it is |\n|---|---|---|---|---|---|\n")
	}
	for _, k := range s.def.Keys() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", code(k.Name), strings.ToLower(string(k.Type)), absent(k), cell(allowed(k, s.def)),
			strings.ToLower(string(k.Importance)), prose(k.Doc+remarks[k.Name]))
	}
	if len(s.families) > 0 {
		b.WriteString("\nKeys that begin alike:\n\n| keys | what they are |\n|---|---|\n")
		for _, f := range s.families {
			fmt.Fprintf(&b, "| %s | %s |\n", code(f.Name), prose(f.Doc))
		}
	}
	if s.more != "" {
		fmt.Fprintf(&b, "\nBesides there are the keys of [%s](%s.md).\n", strings.ReplaceAll(s.more, "-", " "), s.more)
	}
	return b.String(), nil
}

// example writes the configuration that is shown, and records that go through it.
func (s *subject) example(b *strings.Builder, examples fs.FS) error {
	text, err := fs.ReadFile(examples, s.name+".yaml")
	if err != nil {
		return fmt.Errorf("each page has an example: %w", err)
	}
	beside := ""
	if s.name != "worker" {
		beside = ", beside that of [a worker](worker.md)"
	}
	fmt.Fprintf(b, "## Example\n\n[%[1]s.yaml](examples/%[1]s.yaml), as a file%[3]s:\n\n```yaml\n%[2]s```\n\n", s.name, text, beside)
	tests, err := fs.ReadFile(examples, s.name+".test.yaml")
	if err != nil {
		return nil // not all show records
	}
	fmt.Fprintf(b, "What it makes of records, as [hydraulics test](../commands.md) compares it:\n\n```text\n%s```\n\n", tests)
	return nil
}

// absent says what stands for a key that is not given.
func absent(k connector.Key) string {
	if k.Required {
		return "required"
	}
	text, ok := connector.FormatValue(k.Default)
	if !ok || text == "" {
		return ""
	}
	return cell(code(text))
}

// allowed says which values a key takes, as its check and its recommendation tell
// when they are asked: of a text that is none, and of the ends of a type.
func allowed(k connector.Key, def *connector.ConfigDef) string {
	if k.Recommend != nil {
		values := map[string]any{}
		for _, other := range def.Keys() {
			values[other.Name] = other.Default
		}
		if list, _ := k.Recommend(values); len(list) > 0 {
			texts := make([]string, len(list))
			for i, v := range list {
				texts[i] = code(fmt.Sprint(v))
			}
			return strings.Join(texts, ", ")
		}
	}
	if k.Check == nil {
		return ""
	}
	switch k.Type {
	case connector.StringKey:
		return choices(k.Check(k.Name, "\x00"))
	case connector.ListKey:
		return choices(k.Check(k.Name, []string{"\x00"}))
	case connector.ShortKey:
		return bounds(k, int16(math.MinInt16), int16(math.MaxInt16))
	case connector.IntKey:
		return bounds(k, int32(math.MinInt32), int32(math.MaxInt32))
	case connector.LongKey:
		return bounds(k, int64(math.MinInt64), int64(math.MaxInt64))
	case connector.DoubleKey:
		return bounds(k, -math.MaxFloat64, math.MaxFloat64)
	}
	return ""
}

// choices gives those that the error of a check names.
func choices(err error) string {
	if err == nil {
		return ""
	}
	for _, before := range []string{"String must be one of: ", "String must be one of (case insensitive): "} {
		if _, list, ok := strings.Cut(err.Error(), before); ok {
			var texts []string
			for _, x := range strings.Split(list, ", ") {
				if x != "null" && x != "" {
					texts = append(texts, code(x))
				}
			}
			return strings.Join(texts, ", ")
		}
	}
	return ""
}

// bounds gives what the errors of a check say of the ends of the key's type.
func bounds(k connector.Key, low, high any) string {
	var texts []string
	for _, end := range []struct {
		value       any
		said, shown string
	}{{low, "Value must be at least ", "at least "}, {high, "Value must be no more than ", "at most "}} {
		if err := k.Check(k.Name, end.value); err != nil {
			if _, n, ok := strings.Cut(err.Error(), end.said); ok {
				texts = append(texts, end.shown+n)
			}
		}
	}
	return strings.Join(texts, ", ")
}

// index writes the page that lists the others.
func index(groups []group) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Plugins\n\n%s\n\nA configuration names a plugin by its short name, or by the name of the Java class that it answers to;\n"+
		"`hydraulics plugins NAME` prints the same keys. Each page has an example, which tests check and, where\nit shows records, run.\n", generated)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n\n| page | what it is for |\n|---|---|\n", g.title)
		for _, s := range g.subjects {
			fmt.Fprintf(&b, "| [%s](%s.md) | %s |\n", s.title, s.name, prose(s.doc))
		}
	}
	return b.String()
}

// code shows a text as it is typed.
func code(text string) string {
	if strings.Contains(text, "`") {
		return "`` " + text + " ``"
	}
	return "`" + text + "`"
}

// remarks are what this worker does otherwise than the words say that a key has from
// Kafka Connect.
var remarks = map[string]string{
	"errors.retry.timeout": " Where it is not given, this worker retries without end.",
}

// prose makes a sentence that is no Markdown a cell.
func prose(text string) string { return strings.NewReplacer("<", `\<`, "*", `\*`).Replace(cell(text)) }

// cell makes a text one of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}
