package postgrest

import (
	"strings"
	"unicode"
)

// condition is a filter or a tree of them.
type condition interface {
	// sql adds the condition's SQL.
	sql(b *builder)
}

// tree is and=(...) or or=(...).
type tree struct {
	not   bool
	or    bool
	parts []condition
}

// filter compares a column.
type filter struct {
	path     path
	not      bool
	operator string // of operators, or in, is, fts...
	quantity string // any, all or empty
	value    string
	list     []string // of in
	language string   // of full text search
}

// operators are those that take one value, and their SQL.
var operators = map[string]string{
	"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=",
	"like": "LIKE", "ilike": "ILIKE", "match": "~", "imatch": "~*", "isdistinct": "IS DISTINCT FROM",
	"cs": "@>", "cd": "<@", "ov": "&&", "sl": "<<", "sr": ">>", "nxr": "&<", "nxl": "&>", "adj": "-|-",
}

// quantifiable are those that take (any) and (all).
var quantifiable = map[string]bool{"eq": true, "gt": true, "gte": true, "lt": true, "lte": true, "like": true, "ilike": true, "match": true, "imatch": true}

// searches are the functions of full text search.
var searches = map[string]string{"fts": "to_tsquery", "plfts": "plainto_tsquery", "phfts": "phraseto_tsquery", "wfts": "websearch_to_tsquery"}

// trileans are the values of is.
var trileans = map[string]string{"null": "NULL", "not_null": "NOT NULL", "true": "TRUE", "false": "FALSE", "unknown": "UNKNOWN"}

// parseFilter reads a parameter such as prob=gte.0.5.
func parseFilter(key, value string) (condition, error) {
	target, err := parseTarget(key)
	if err != nil {
		return nil, err
	}
	p := newParser("filter", value)
	f, failed := p.operation(target, false)
	if failed != nil {
		return nil, failed
	}
	if !p.end() {
		return nil, p.fail("end of input")
	}
	return f, nil
}

// parseTarget reads the column that a parameter's name says.
func parseTarget(key string) (path, error) {
	p := newParser("tree path", key)
	target, err := p.path()
	if err != nil {
		return path{}, err
	}
	if strings.HasPrefix(p.rest(), ".") {
		return path{}, notEmbedded(target.column)
	}
	if !p.end() {
		return path{}, p.fail(`letter, digit, "-", "->>", "->", delimiter (.) or end of input`)
	}
	return target, nil
}

// operation reads not.gte.0.5. Inside a tree a value ends at a comma or a
// parenthesis that is not quoted, outside at the end.
func (p *parser) operation(target path, inside bool) (*filter, *apiError) {
	f := &filter{path: target}
	f.not = p.accept("not.")
	start := p.pos
	f.operator = p.while(func(r rune) bool { return r >= 'a' && r <= 'z' })
	argument := ""
	hasArgument := p.accept("(")
	if hasArgument {
		argument = p.while(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' })
		if !p.accept(")") {
			return nil, p.fail(`")"`)
		}
	}
	if f.operator == "" || !p.accept(".") {
		p.pos = start
		expected := `operator (eq, gt, ...)`
		if !f.not {
			expected = `"not" or ` + expected
		}
		return nil, p.fail(expected)
	}
	switch {
	case f.operator == "in" && !hasArgument:
		return f, p.elements(f)
	case f.operator == "is" && !hasArgument:
		return f, p.trilean(f)
	case searches[f.operator] != "":
		f.language = argument
	case operators[f.operator] == "":
		p.pos = start
		return nil, p.say("unknown single value operator %s", f.operator)
	case hasArgument:
		if argument != "any" && argument != "all" || !quantifiable[f.operator] {
			p.pos = start
			return nil, p.say("unknown single value operator %s(%s)", f.operator, argument)
		}
		f.quantity = argument
	}
	if !inside {
		f.value, p.pos = p.rest(), len(p.text)
		return f, nil
	}
	f.value = p.insideValue()
	return f, nil
}

// elements reads the list of in: (a,"b,c",d).
func (p *parser) elements(f *filter) *apiError {
	p.spaces()
	if !p.accept("(") {
		return p.fail(`"("`)
	}
	f.list = []string{}
	if p.accept(")") { // in.() is true for no row
		p.spaces()
		return nil
	}
	for {
		start := p.pos
		element, ok := p.quoted()
		if next, more := p.peek(); ok && more && next != ',' && next != ')' {
			p.pos, ok = start, false // "a"b is a text with quotes
		}
		if !ok {
			element = p.while(func(r rune) bool { return r != ',' && r != ')' })
		}
		f.list = append(f.list, element)
		if p.accept(",") {
			continue
		}
		if !p.accept(")") {
			return p.fail(`"," or ")"`)
		}
		break
	}
	p.spaces()
	return nil
}

func (p *parser) trilean(f *filter) *apiError {
	start := p.pos
	word := p.while(func(r rune) bool { return unicode.IsLetter(r) || r == '_' })
	f.value = trileans[strings.ToLower(word)]
	if f.value == "" {
		p.pos = start
		return p.fail("null or trilean value (unknown, true, false)")
	}
	return nil
}

// insideValue reads a value in a tree: quoted, an array or object in braces,
// or up to the next comma or parenthesis.
func (p *parser) insideValue() string {
	start := p.pos
	if s, ok := p.quoted(); ok {
		if next, more := p.peek(); !more || next == ',' || next == ')' {
			return s
		}
		p.pos = start
	}
	if strings.HasPrefix(p.rest(), "{") {
		if end := closingBrace(p.rest()); end > 0 {
			value := p.rest()[:end]
			p.pos += end
			return value
		}
	}
	return p.while(func(r rune) bool { return r != ',' && r != ')' })
}

// closingBrace gives the length of a text up to the brace that closes its
// first one, 0 without one. Braces in double quotes do not count.
func closingBrace(s string) int {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// maxDepth bounds the nesting of trees.
const maxDepth = 50

// parseTree reads a parameter such as not.or=(a.eq.1,and(b.gt.2,c.is.null)).
func parseTree(key, value string) (condition, error) {
	t := &tree{}
	word, negated := strings.CutPrefix(key, "not.")
	t.not, t.or = negated, word == "or"
	p := newParser("logic tree", value)
	if err := p.branches(t, 0); err != nil {
		return nil, err
	}
	if !p.end() {
		return nil, p.fail("end of input")
	}
	return t, nil
}

func (p *parser) branches(t *tree, depth int) *apiError {
	if depth > maxDepth {
		return p.say("the tree is nested more than %d deep", maxDepth)
	}
	p.spaces()
	if !p.accept("(") {
		return p.fail(`"("`)
	}
	for {
		p.spaces()
		part, err := p.branch(depth)
		if err != nil {
			return err
		}
		t.parts = append(t.parts, part)
		p.spaces()
		if p.accept(",") {
			continue
		}
		if !p.accept(")") {
			return p.fail(`"," or ")"`)
		}
		p.spaces()
		return nil
	}
}

func (p *parser) branch(depth int) (condition, *apiError) {
	start := p.pos
	inner := &tree{not: p.accept("not.")}
	if word := p.while(func(r rune) bool { return r >= 'a' && r <= 'z' }); (word == "and" || word == "or") && strings.HasPrefix(strings.TrimLeft(p.rest(), " \t"), "(") {
		inner.or = word == "or"
		return inner, p.branches(inner, depth+1)
	}
	p.pos = start
	target, err := p.path()
	if err != nil {
		return nil, p.fail("field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)")
	}
	if !p.accept(".") {
		return nil, p.fail(`"->>", "->" or delimiter (.)`)
	}
	return p.operation(target, true)
}
