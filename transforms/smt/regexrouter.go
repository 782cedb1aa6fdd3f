package smt

import (
	"context"
	"errors"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/regex"
)

var _ connector.Transform = (*RegexRouter)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(RegexRouter) }) }

// RegexRouter gives a record another topic where its own one matches a Java
// regular expression.
type RegexRouter struct {
	regex       *regex.Regexp
	replacement *regex.Replacement
}

// Info describes the plugin.
func (*RegexRouter) Info() connector.Info {
	return connector.Info{Name: "regex-router", Version: Version, Class: javaPackage + "RegexRouter",
		Doc: "Renames topics by a regular expression."}
}

// ConfigDef gives Kafka's keys.
func (*RegexRouter) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "regex", Type: connector.StringKey, Required: true, Importance: connector.High, Check: validRegex,
			Doc: "Regular expression to use for matching."},
		connector.Key{Name: "replacement", Type: connector.StringKey, Required: true, Importance: connector.High, Doc: "Replacement string."},
	)
}

func validRegex(_ string, v any) error {
	s, ok := v.(string)
	if !ok {
		return errors.New("Invalid regex: it is null")
	}
	if _, err := regex.Compile(s); err != nil {
		return fmt.Errorf("Invalid regex: %w", err)
	}
	return nil
}

// Configure compiles the expression and its replacement.
func (t *RegexRouter) Configure(_ connector.Context, conf connector.Config) error {
	var err error
	if t.regex, err = regex.Compile(conf.String("regex")); err != nil {
		return err
	}
	t.replacement, err = t.regex.Replacement(conf.String("replacement"))
	return err
}

// Apply renames one record's topic if the whole name matches. As in Java the
// first match is what is replaced then, which may be shorter.
func (t *RegexRouter) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	ok, err := t.regex.MatchAll(r.Topic)
	if err != nil || !ok {
		return r, err == nil, connector.Data(err)
	}
	topic, err := t.replacement.First(r.Topic)
	if err != nil {
		return r, false, connector.Data(err)
	}
	r.Topic = topic
	return r, true, nil
}
