package jsonschema

import (
	"fmt"
	"math/big"
	"slices"
)

// Incompatibilities says in words what makes a schema refuse values that an
// earlier one has allowed, by the rules of Confluent's registry.
func Incompatibilities(earlier, later *Schema) []string {
	c := &comparison{open: map[[2]*Schema]bool{}, left: new(int)}
	*c.left = maxComparisons
	c.schemas("#", earlier, later)
	return c.found
}

// maxComparisons bounds the work: each part of a combination is compared with
// each of another, and those have parts.
const maxComparisons = 200_000

// comparison collects what is wrong.
type comparison struct {
	found []string
	open  map[[2]*Schema]bool // that are being compared: schemas refer to each other
	left  *int
}

func (c *comparison) add(kind, path, format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf("%s at %s: %s", kind, path, fmt.Sprintf(format, args...)))
}

// apart compares two schemas by themselves.
func (c *comparison) apart(path string, old, now *Schema) []string {
	inner := &comparison{open: c.open, left: c.left}
	inner.schemas(path, old, now)
	return inner.found
}

func (c *comparison) schemas(path string, old, now *Schema) {
	if *c.left--; *c.left < 0 {
		c.add("TOO_COMPLEX", path, "the combinations are too many to compare")
		return
	}
	old, now = old.Resolve(), now.Resolve()
	switch {
	case now == nil:
		return
	case old == nil:
		c.add("SCHEMA_ADDED", path, "there was no schema here")
		return
	}
	pair := [2]*Schema{old, now}
	if c.open[pair] {
		return
	}
	c.open[pair] = true
	defer delete(c.open, pair)
	if c.onePart(path, old, now) {
		return
	}
	if old.Kind != now.Kind {
		bytes := old.Keywords.Text("connect.type") == "bytes" && now.Keywords.Text("connect.type") == "bytes"
		if old.Kind != Nothing && now.Kind != Any && !bytes {
			c.add("TYPE_CHANGED", path, "the type is another")
		}
		return
	}
	switch old.Kind {
	case String:
		c.limits(path, old, now, "maxLength", "minLength")
		c.pattern(path, old, now)
	case Number:
		c.limits(path, old, now, "maximum", "minimum")
		c.limits(path, old, now, "exclusiveMaximum", "exclusiveMinimum")
		c.multiple(path, old, now)
		if now.Integer && !old.Integer {
			c.add("TYPE_NARROWED", path, "a number must be an integer now")
		}
	case Enum, Const:
		c.constants(path, old, now)
	case Combined:
		c.combined(path, old, now)
	case Not:
		if len(c.apart(path+"/not", now.Parts[0], old.Parts[0])) > 0 {
			c.add("NOT_TYPE_EXTENDED", path, "more must not be")
		}
	case Map:
		c.object(path, old, now)
	case Array:
		c.array(path, old, now)
	}
}

// onePart tells whether a schema fits a part of a combination, or a part of one fits it.
func (c *comparison) onePart(path string, old, now *Schema) bool {
	if old.Kind != Combined && now.Kind == Combined && (len(now.Parts) == 1 || now.Criterion != AllOf) {
		return slices.ContainsFunc(now.Parts, func(part *Schema) bool { return len(c.apart(path, old, part)) == 0 })
	}
	if old.Kind == Combined && now.Kind != Combined && (len(old.Parts) == 1 || old.Criterion == AllOf) {
		return slices.ContainsFunc(old.Parts, func(part *Schema) bool { return len(c.apart(path, part, now)) == 0 })
	}
	return false
}

// limits compares an upper limit and a lower one.
func (c *comparison) limits(path string, old, now *Schema, upper, lower string) {
	for i, keyword := range []string{upper, lower} {
		was, had := rational(old, keyword)
		is, has := rational(now, keyword)
		switch {
		case !has:
		case !had:
			c.add("KEYWORD_ADDED", path+"/"+keyword, "there was no %s", keyword)
		case i == 0 && is.Cmp(was) < 0:
			c.add("VALUE_DECREASED", path+"/"+keyword, "it was %s and is %s", was.RatString(), is.RatString())
		case i == 1 && is.Cmp(was) > 0:
			c.add("VALUE_INCREASED", path+"/"+keyword, "it was %s and is %s", was.RatString(), is.RatString())
		}
	}
}

func rational(s *Schema, keyword string) (*big.Rat, bool) {
	n, ok := s.Limit(keyword)
	if !ok || len(n) > 40 {
		return nil, false
	}
	f, err := n.Float64() // which bounds the exponent
	if err != nil || f > 1e300 || f < -1e300 {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}

func (c *comparison) pattern(path string, old, now *Schema) {
	if is := now.Keywords.Text("pattern"); is != "" && is != old.Keywords.Text("pattern") {
		c.add("PATTERN_CHANGED", path+"/pattern", "it was %q and is %q", old.Keywords.Text("pattern"), is)
	}
}

func (c *comparison) multiple(path string, old, now *Schema) {
	is, has := rational(now, "multipleOf")
	was, had := rational(old, "multipleOf")
	if !has || had && is.Sign() != 0 && new(big.Rat).Quo(was, is).IsInt() {
		return
	}
	c.add("MULTIPLE_OF_CHANGED", path+"/multipleOf", "not all that was allowed is a multiple of %s", is.RatString())
}

func (c *comparison) constants(path string, old, now *Schema) {
	allowed := map[string]bool{}
	for _, v := range now.Constants {
		allowed[text(v)] = true
	}
	for _, v := range old.Constants {
		if !allowed[text(v)] {
			c.add("ENUM_ARRAY_CHANGED", path+"/enum", "%s is gone", text(v))
		}
	}
}

// combined wants that each part of the smaller combination has a partner in the other.
func (c *comparison) combined(path string, old, now *Schema) {
	was, is := distinct(old.Parts), distinct(now.Parts)
	if old.Criterion != now.Criterion {
		one, other := len(old.Parts) == 1, len(now.Parts) == 1
		if now.Criterion != AnyOf && (!one || !other) && (!one || now.Criterion != OneOf) && (!other || old.Criterion != AllOf) {
			c.add("COMBINED_TYPE_CHANGED", path, "%s has become %s", old.Criterion, now.Criterion)
			return
		}
	}
	if len(was) < len(is) && now.Criterion == AllOf {
		c.add("PRODUCT_TYPE_EXTENDED", path, "more must be fulfilled")
	}
	if len(was) > len(is) && old.Criterion != AllOf {
		c.add("SUM_TYPE_NARROWED", path, "fewer are allowed")
	}
	partners := make([][]int, len(was))
	for i, a := range was {
		for j, b := range is {
			if len(c.apart(fmt.Sprintf("%s/%s/%d", path, old.Criterion, i), a, b)) == 0 {
				partners[i] = append(partners[i], j)
			}
		}
	}
	if matched(partners, len(is)) < min(len(was), len(is)) {
		c.add("COMBINED_TYPE_SUBSCHEMAS_CHANGED", path, "the parts of %s are others", old.Criterion)
	}
}

// matched gives how many of the left can have a partner of their own.
func matched(partners [][]int, right int) int {
	of := make([]int, right) // the left partner of each, from 1
	var assign func(left int, seen []bool) bool
	assign = func(left int, seen []bool) bool {
		for _, j := range partners[left] {
			if seen[j] {
				continue
			}
			seen[j] = true
			if of[j] == 0 || assign(of[j]-1, seen) {
				of[j] = left + 1
				return true
			}
		}
		return false
	}
	n := 0
	for i := range partners {
		if assign(i, make([]bool, right)) {
			n++
		}
	}
	return n
}

// distinct leaves out schemas that say the same.
func distinct(parts []*Schema) []*Schema {
	seen := map[string]bool{}
	var list []*Schema
	for _, p := range parts {
		key := fmt.Sprint(p.Kind, p.Integer, p.Criterion, text(p.Keywords))
		if !seen[key] {
			seen[key] = true
			list = append(list, p)
		}
	}
	return list
}

// matches tells whether a name is one of a regular expression. One that cannot
// be read matches nothing.
func matches(text, name string) bool {
	p, err := expression(text)
	return err == nil && p.MatchString(name)
}
