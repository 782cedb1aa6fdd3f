package jsonschema

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// find gives what a $ref in a document points at, and the document that it is in.
func (p *parser) find(ref, document string) (target any, where string, err error) {
	name, fragment, _ := strings.Cut(ref, "#")
	where = document
	if name != "" {
		if where, err = p.document(name, document); err != nil {
			return nil, "", err
		}
	}
	root := p.documents[where]
	switch {
	case fragment == "":
		return root, where, nil
	case strings.HasPrefix(fragment, "/"):
		target, err = pointed(root, fragment)
	default:
		target = anchored(root, "#"+fragment, 0)
	}
	if err == nil && target == nil {
		err = fmt.Errorf("nothing is there")
	}
	if err != nil {
		return nil, "", fmt.Errorf("$ref %q: %w", ref, err)
	}
	return target, where, nil
}

// document finds the document of an address, which may be relative to that of
// the one where it is named, or be one inside it.
func (p *parser) document(name, from string) (string, error) {
	base := from
	root, _ := p.documents[from].(*Object)
	if id := root.Text("$id"); id != "" {
		base = id
	}
	whole := name
	if b, err := url.Parse(base); err == nil {
		if n, err := b.Parse(name); err == nil {
			whole = n.String()
		}
	}
	for _, candidate := range []string{name, whole} {
		for known, v := range p.documents {
			o, _ := v.(*Object)
			if known != "" && known == candidate || o.Text("$id") == candidate {
				return known, nil
			}
		}
	}
	if inner, ok := anchored(p.documents[from], name, 0).(*Object); ok {
		p.documents[whole] = inner
		return whole, nil
	}
	return "", fmt.Errorf("$ref %q: there is no such reference", name)
}

// pointed follows a JSON pointer.
func pointed(v any, pointer string) (any, error) {
	for _, part := range strings.Split(pointer, "/")[1:] {
		if text, err := url.PathUnescape(part); err == nil {
			part = text
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch x := v.(type) {
		case *Object:
			v = x.Values[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(x) {
				return nil, fmt.Errorf("there is no item %s", part)
			}
			v = x[i]
		default:
			return nil, fmt.Errorf("there is no %s", part)
		}
	}
	return v, nil
}

// anchored looks for a schema that names itself, by $id or $anchor.
func anchored(v any, name string, depth int) any {
	if depth > maxDepth {
		return nil
	}
	switch x := v.(type) {
	case *Object:
		if x.Text("$id") == name || "#"+x.Text("$anchor") == name && x.Text("$anchor") != "" {
			return x
		}
		for _, key := range x.Keys {
			if found := anchored(x.Values[key], name, depth+1); found != nil {
				return found
			}
		}
	case []any:
		for _, e := range x {
			if found := anchored(e, name, depth+1); found != nil {
				return found
			}
		}
	}
	return nil
}
