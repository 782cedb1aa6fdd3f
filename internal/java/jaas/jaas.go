// Package jaas reads what Java's programs are told about logins: the line of
// sasl.jaas.config, and files of several entries. No error holds an option's value.
package jaas

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Module is a login module with its options.
type Module struct {
	Class   string
	Options map[string]string
}

// Is tells whether the module has one of some names: Java's whole one, or its last
// part.
func (m Module) Is(class string) bool {
	return m.Class == class || strings.HasSuffix(m.Class, "."+class)
}

// Line reads a line as sasl.jaas.config has it: one module.
func Line(text string) (Module, error) {
	p := &parser{tokens: tokens{rest: []rune(text)}}
	p.next()
	if p.kind == end {
		return Module{}, errors.New("it names no login module")
	}
	m, err := p.module()
	if err != nil {
		return Module{}, err
	}
	if p.kind != end {
		return Module{}, fmt.Errorf("there is more behind the first login module, %s, than one semicolon", m.Class)
	}
	return m, nil
}

// File reads a file: entries, such as KafkaConnect { ... };, with their modules.
func File(text string) (map[string][]Module, error) {
	p := &parser{tokens: tokens{rest: []rune(text)}}
	entries := map[string][]Module{}
	for p.next(); p.kind != end; p.next() {
		if p.kind != word && p.kind != quoted {
			return nil, p.want("the name of an entry")
		}
		name := p.text
		if p.next(); !p.is("{") {
			return nil, p.want("{ behind " + name)
		}
		if _, twice := entries[name]; twice {
			return nil, fmt.Errorf("line %d: a second entry %s", p.line+1, name)
		}
		for p.next(); !p.is("}"); {
			m, err := p.module()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			entries[name] = append(entries[name], m)
		}
		if p.next(); !p.is(";") {
			return nil, p.want("; behind the } of " + name)
		}
	}
	return entries, nil
}

type parser struct{ tokens }

// flags say in Java whether a login may go on without the module; here there is
// one module.
var flags = []string{"required", "requisite", "sufficient", "optional"}

// module reads a module from its class on, and goes behind its semicolon.
func (p *parser) module() (Module, error) {
	m := Module{Class: p.text, Options: map[string]string{}}
	if p.kind != word {
		return m, p.want("the class of a login module")
	}
	if p.next(); p.kind != word || !slices.Contains(flags, strings.ToLower(p.text)) {
		return m, p.want("one of " + strings.Join(flags, ", ") + " behind " + m.Class)
	}
	for p.next(); !p.is(";"); p.next() {
		if p.kind != word && p.kind != quoted {
			return m, p.want("an option of " + m.Class + " or a semicolon")
		}
		name := p.text
		if p.next(); !p.is("=") {
			return m, p.want("= behind " + name)
		}
		if p.next(); p.kind != word && p.kind != quoted {
			return m, p.want("the value of " + name + ", in quotes if it has more than letters, digits and . - _ $")
		}
		m.Options[name] = p.text
	}
	p.next()
	return m, nil
}

// want says what was to come in the place of a token.
func (p *parser) want(what string) error {
	found := "the end"
	switch p.kind {
	case sign:
		found = p.text
	case word, quoted:
		found = "another word" // it may be a secret
	case open:
		found = "quotes that do not end on their line"
	case end:
	}
	return fmt.Errorf("line %d: want %s, got %s", p.line+1, what, found)
}
