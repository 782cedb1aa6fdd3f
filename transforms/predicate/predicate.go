// Package predicate has the predicates that every Kafka Connect worker has, with
// Kafka's names, keys and behaviour.
package predicate

import (
	"errors"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/regex"
)

// Version is what the predicates report.
const Version = "1.0.0"

const javaPackage = "org.apache.kafka.connect.transforms.predicates."

var (
	_ connector.Predicate = (*HasHeaderKey)(nil)
	_ connector.Predicate = (*RecordIsTombstone)(nil)
	_ connector.Predicate = (*TopicNameMatches)(nil)
)

func init() {
	connector.RegisterPredicate(func() connector.Predicate { return new(HasHeaderKey) })
	connector.RegisterPredicate(func() connector.Predicate { return new(RecordIsTombstone) })
	connector.RegisterPredicate(func() connector.Predicate { return new(TopicNameMatches) })
}

// HasHeaderKey is true for records that have a header of this name.
type HasHeaderKey struct {
	name string
}

// Info describes the plugin.
func (*HasHeaderKey) Info() connector.Info {
	return connector.Info{Name: "has-header-key", Version: Version, Class: javaPackage + "HasHeaderKey",
		Doc: "True for records that have a header of this name."}
}

// ConfigDef gives Kafka's key.
func (*HasHeaderKey) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(connector.Key{Name: "name", Type: connector.StringKey, Required: true, Check: connector.NotEmpty,
		Doc: "The header name."})
}

// Configure notes the name.
func (p *HasHeaderKey) Configure(_ connector.Context, conf connector.Config) error {
	p.name = conf.String("name")
	return nil
}

// Test looks for the header.
func (p *HasHeaderKey) Test(r connector.Record) (bool, error) {
	_, ok := r.Headers.Last(p.name)
	return ok, nil
}

// RecordIsTombstone is true for records whose value is null.
type RecordIsTombstone struct{}

// Info describes the plugin.
func (*RecordIsTombstone) Info() connector.Info {
	return connector.Info{Name: "record-is-tombstone", Version: Version, Class: javaPackage + "RecordIsTombstone",
		Doc: "True for records whose value is null."}
}

// ConfigDef has no keys.
func (*RecordIsTombstone) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }

// Configure has nothing to do.
func (*RecordIsTombstone) Configure(connector.Context, connector.Config) error { return nil }

// Test looks at the value alone, whatever its schema.
func (*RecordIsTombstone) Test(r connector.Record) (bool, error) { return r.Value == nil, nil }

// TopicNameMatches is true for records whose whole topic name matches a Java
// regular expression.
type TopicNameMatches struct {
	pattern *regex.Regexp
}

// Info describes the plugin.
func (*TopicNameMatches) Info() connector.Info {
	return connector.Info{Name: "topic-name-matches", Version: Version, Class: javaPackage + "TopicNameMatches",
		Doc: "True for records whose topic matches a regular expression."}
}

// ConfigDef gives Kafka's key.
func (*TopicNameMatches) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(connector.Key{Name: "pattern", Type: connector.StringKey, Required: true,
		Check: connector.All(connector.NotEmpty, validPattern),
		Doc:   "A Java regular expression for matching against the name of a record's topic."})
}

func validPattern(_ string, v any) error {
	s, ok := v.(string)
	if !ok {
		return errors.New("entry must be non null")
	}
	if _, err := regex.Compile(s); err != nil {
		return connector.Sentence(connector.Invalid("pattern", s, "Invalid regex: "+err.Error()))
	}
	return nil
}

// Configure compiles the pattern.
func (p *TopicNameMatches) Configure(_ connector.Context, conf connector.Config) error {
	var err error
	p.pattern, err = regex.Compile(conf.String("pattern"))
	return err
}

// Test matches the whole topic name.
func (p *TopicNameMatches) Test(r connector.Record) (bool, error) {
	ok, err := p.pattern.MatchAll(r.Topic)
	return ok, connector.Data(err)
}
