package postgrest

import (
	"net/http"
	"strings"
	"unicode"
)

// column is one thing that a query gives.
type column struct {
	star      bool
	path      path
	cast      string
	alias     string
	aggregate string // count, sum, avg, max, min or empty; path.column is empty for count()
	castAfter string // of the aggregate
	embedded  bool   // a resource, which is not offered
}

var aggregates = map[string]bool{"count": true, "sum": true, "avg": true, "max": true, "min": true}

// parseSelect reads select=a,b:c->d::text. Embedded resources are read, so that
// what is no select is told from what is not offered.
func parseSelect(parent, text string) ([]column, error) {
	if strings.TrimSpace(text) == "" {
		return []column{{star: true}}, nil
	}
	p := newParser("select parameter", text)
	columns, err := p.columns(0)
	if err != nil {
		return nil, err
	}
	for _, c := range columns {
		if c.embedded {
			return nil, noRelation(parent, c.path.column)
		}
	}
	return columns, nil
}

// columns reads a list, to the end or, within an embedded resource, to the
// parenthesis that closes it.
func (p *parser) columns(depth int) ([]column, *apiError) {
	if depth > maxDepth {
		return nil, p.say("resources are embedded more than %d deep", maxDepth)
	}
	var columns []column
	for {
		p.spaces()
		c, err := p.column(depth)
		if err != nil {
			return nil, err
		}
		columns = append(columns, c)
		p.spaces()
		if depth == 0 && p.end() || depth > 0 && p.accept(")") {
			return columns, nil
		}
		if !p.accept(",") {
			expected := `letter, digit, "-", "->>", "->", "::", ".", "," or end of input`
			if depth > 0 {
				expected = `letter, digit, "-", "->>", "->", "::", ".", "," or ")"`
			}
			return nil, p.fail(expected)
		}
	}
}

func (p *parser) column(depth int) (c column, err *apiError) {
	if p.accept("*") {
		c.star = true
		return c, nil
	}
	spread := p.accept("...")
	if c.path.column, err = p.name(); err != nil {
		return c, err
	}
	if strings.HasPrefix(p.rest(), ":") && !strings.HasPrefix(p.rest(), "::") {
		p.pos++
		c.alias = c.path.column
		if c.path.column, err = p.name(); err != nil {
			return c, err
		}
	}
	if spread || strings.HasPrefix(p.rest(), "!") || strings.HasPrefix(p.rest(), "(") && !(c.path.column == "count" && strings.HasPrefix(p.rest(), "()")) {
		c.embedded = true
		return c, p.resource(depth)
	}
	if p.accept("()") { // count() of all rows
		c.aggregate, c.path.column = "count", ""
		c.castAfter, err = p.cast()
		return c, err
	}
	if c.path.steps, err = p.steps(); err != nil {
		return c, err
	}
	if c.cast, err = p.cast(); err != nil {
		return c, err
	}
	if !p.accept(".") {
		return c, nil
	}
	start := p.pos
	c.aggregate = p.while(func(r rune) bool { return r >= 'a' && r <= 'z' })
	if !aggregates[c.aggregate] || !p.accept("()") {
		p.pos = start
		return c, p.fail("an aggregate function (sum(), avg(), count(), max() or min())")
	}
	c.castAfter, err = p.cast()
	return c, err
}

// resource reads what follows the name of an embedded resource: hints and its
// own list.
func (p *parser) resource(depth int) *apiError {
	for p.accept("!") {
		if _, err := p.name(); err != nil {
			return err
		}
	}
	if !p.accept("(") {
		return p.fail(`"!" or "("`)
	}
	p.spaces()
	if p.accept(")") {
		return nil
	}
	_, err := p.columns(depth + 1)
	return err
}

func noRelation(parent, child string) *apiError {
	return failure(http.StatusBadRequest, "PGRST200", "Could not find a relationship between '%s' and '%s' in the schema cache", parent, child).
		details("Embedded resources are not offered by this server.")
}

// cast reads ::type, empty without one.
func (p *parser) cast() (string, *apiError) {
	if !p.accept("::") {
		return "", nil
	}
	name := strings.TrimSpace(p.while(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == ' ' }))
	if name == "" {
		return "", p.fail("letter or digit")
	}
	return name, nil
}

// ordering is one term of order.
type ordering struct {
	path  path
	desc  bool
	nulls string // FIRST, LAST or empty
}

// parseOrder reads order=a.desc.nullslast,b.
func parseOrder(text string) ([]ordering, error) {
	p := newParser("order", text)
	var terms []ordering
	for {
		p.spaces()
		target, err := p.path()
		if err != nil {
			return nil, err
		}
		term := ordering{path: target}
		if strings.HasPrefix(p.rest(), "(") {
			return nil, notEmbedded(target.column)
		}
		if p.accept(".desc") {
			term.desc = true
		} else {
			p.accept(".asc")
		}
		if p.accept(".nullsfirst") {
			term.nulls = "FIRST"
		} else if p.accept(".nullslast") {
			term.nulls = "LAST"
		}
		terms = append(terms, term)
		p.spaces()
		if p.end() {
			return terms, nil
		}
		if !p.accept(",") {
			return nil, p.fail(`".asc", ".desc", ".nullsfirst", ".nullslast", "," or end of input`)
		}
	}
}
