package jsonschema

import (
	"fmt"
)

// object compares two schemas of objects. A property may come where no value
// could have had it before, and go where any value may still have it.
func (c *comparison) object(path string, old, now *Schema) {
	c.limits(path, old, now, "maxProperties", "minProperties")
	for _, p := range old.Properties {
		at := path + "/properties/" + p.Name
		is := now.property(p.Name)
		if is == nil {
			c.removed(at, "PROPERTY", p.Schema, now, now.cover(p.Name))
			continue
		}
		if now.Required[p.Name] && !old.Required[p.Name] && !is.HasDefault {
			c.add("REQUIRED_ATTRIBUTE_ADDED", path+"/required/"+p.Name, "property %s must be there now", p.Name)
		}
		c.schemas(at, p.Schema, is)
	}
	for _, p := range now.Properties {
		if old.property(p.Name) == nil {
			c.addedProperty(path+"/properties/"+p.Name, p, old, now)
		}
	}
	c.dependencies(path+"/dependencies", old, now)
	c.extra(path+"/additionalProperties", "ADDITIONAL_PROPERTIES", old, now)
	c.unevaluated(path+"/unevaluatedProperties", "UNEVALUATED_PROPERTIES", old, now)
}

func (s *Schema) property(name string) *Schema {
	for _, p := range s.Properties {
		if p.Name == name {
			return p.Schema
		}
	}
	return nil
}

func (c *comparison) addedProperty(path string, p Property, old, now *Schema) {
	needed := now.Required[p.Name] && !p.Schema.HasDefault
	if old.open() {
		if p.Schema.Kind != Any {
			c.add("PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", path, "values could have any property of this name before")
		}
		return
	}
	if cover := old.cover(p.Name); cover != nil {
		c.covered(path, "PROPERTY_ADDED", cover, p.Schema)
	}
	if needed {
		c.add("REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", path, "property %s is new and must be there", p.Name)
	}
}

// removed is a property or an item that is no longer named.
func (c *comparison) removed(path, what string, was, now, cover *Schema) {
	switch {
	case now.open():
	case cover != nil:
		c.covered(path, what+"_REMOVED", was, cover)
	case was.Resolve() != nil && was.Resolve().Kind != Nothing:
		c.add(what+"_REMOVED_FROM_CLOSED_CONTENT_MODEL", path, "it is no longer allowed")
	}
}

func (c *comparison) covered(path, what string, old, now *Schema) {
	found := c.apart(path, old, now)
	c.found = append(c.found, found...)
	if len(found) > 0 {
		c.add(what+"_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", path, "what may be where nothing is named differs")
	}
}

// dependencies compares what must be there because something else is.
func (c *comparison) dependencies(path string, old, now *Schema) {
	before, _ := old.Keywords.Get("dependencies").(*Object)
	after, _ := now.Keywords.Get("dependencies").(*Object)
	if after == nil {
		return
	}
	p := &parser{documents: map[string]any{"": now.Keywords}, done: map[*Object]*Schema{}}
	for _, name := range after.Keys {
		was := before.Get(name)
		list, isList := after.Values[name].([]any)
		if isList {
			earlier, _ := was.([]any)
			if !subset(list, earlier) {
				c.add("DEPENDENCY_ARRAY_CHANGED", path+"/"+name, "more must be there with it")
			}
			continue
		}
		if was == nil {
			c.add("DEPENDENCY_SCHEMA_ADDED", path+"/"+name, "there was none")
			continue
		}
		earlier, err := p.parse(was, "", 0)
		later, err2 := p.parse(after.Values[name], "", 0)
		if err == nil && err2 == nil {
			c.schemas(path+"/"+name, earlier, later)
		}
	}
}

func subset(list, of []any) bool {
	known := map[string]bool{}
	for _, v := range of {
		known[text(v)] = true
	}
	for _, v := range list {
		if !known[text(v)] {
			return false
		}
	}
	return true
}

func (c *comparison) extra(path, what string, old, now *Schema) {
	switch {
	case now.Extra.Forbidden && !old.Extra.Forbidden:
		c.add(what+"_REMOVED", path, "what is not named is no longer allowed")
	case now.Extra.Forbidden != old.Extra.Forbidden:
	case now.Extra.Schema != nil && old.Extra.Schema == nil:
		c.add(what+"_NARROWED", path, "what is not named must fit a schema now")
	case now.Extra.Schema != nil:
		c.schemas(path, old.Extra.Schema, now.Extra.Schema)
	}
}

// unevaluated compares what may be that no part of a combination has named.
func (c *comparison) unevaluated(path, what string, old, now *Schema) {
	was, is := old.rest(), now.rest()
	switch {
	case is == nil || is.Kind == Any:
	case is.Kind == Nothing && (was == nil || was.Kind != Nothing):
		c.add(what+"_REMOVED", path, "what is not named is no longer allowed")
	case was == nil || was.Kind == Any:
		c.add(what+"_NARROWED", path, "what is not named must fit a schema now")
	case was.Kind != Nothing:
		c.schemas(path, was, is)
	}
}

// rest gives what the keyword unevaluatedProperties or unevaluatedItems says.
func (s *Schema) rest() *Schema {
	keyword := "unevaluatedProperties"
	if s.Kind == Array {
		keyword = "unevaluatedItems"
	}
	v := s.Keywords.Get(keyword)
	if v == nil {
		return nil
	}
	p := &parser{documents: map[string]any{"": s.Keywords}, done: map[*Object]*Schema{}}
	rest, err := p.parse(v, "", 0)
	if err != nil {
		return nil
	}
	return rest
}

// open tells whether anything may be where nothing is named.
func (s *Schema) open() bool {
	rest := s.rest()
	return !s.Extra.Forbidden && s.Extra.Schema == nil && len(s.Patterns) == 0 && (rest == nil || rest.Kind == Any)
}

// cover gives the schema of what is not named, if there is one; an empty name is an item's.
func (s *Schema) cover(name string) *Schema {
	for _, p := range s.Patterns {
		if matches(p.Name, name) {
			return p.Schema
		}
	}
	if s.Extra.Schema != nil {
		return s.Extra.Schema
	}
	if rest := s.rest(); !s.Extra.Forbidden && rest != nil && rest.Kind != Nothing && rest.Kind != Any {
		return rest
	}
	return nil
}

func (c *comparison) array(path string, old, now *Schema) {
	c.limits(path, old, now, "maxItems", "minItems")
	c.limits(path, old, now, "maxContains", "minContains")
	if now.Keywords.Get("uniqueItems") == true && old.Keywords.Get("uniqueItems") != true {
		c.add("UNIQUE_ITEMS_ADDED", path+"/uniqueItems", "items must differ now")
	}
	if now.Items != nil || old.Items != nil {
		c.schemas(path+"/items", old.Items, now.Items)
	}
	for i := range max(len(old.Tuple), len(now.Tuple)) {
		at := fmt.Sprintf("%s/items/%d", path, i)
		switch {
		case i >= len(now.Tuple):
			c.removed(at, "ITEM", old.Tuple[i], now, now.cover(""))
		case i < len(old.Tuple):
			c.schemas(at, old.Tuple[i], now.Tuple[i])
		case old.open():
			if now.Tuple[i].Kind != Any {
				c.add("ITEM_ADDED_TO_OPEN_CONTENT_MODEL", at, "an item could be anything here before")
			}
		case old.cover("") != nil:
			c.covered(at, "ITEM_ADDED", old.cover(""), now.Tuple[i])
		}
	}
	c.extra(path+"/additionalItems", "ADDITIONAL_ITEMS", old, now)
	c.unevaluated(path+"/unevaluatedItems", "UNEVALUATED_ITEMS", old, now)
}
