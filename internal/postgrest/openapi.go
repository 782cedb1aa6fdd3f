package postgrest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

type object = map[string]any

// describe answers GET / with a description of the tables in Swagger 2.0.
func (s *Server) describe(w http.ResponseWriter, r *http.Request, of string) error {
	if s.options.OpenAPIMode == "disabled" {
		return failure(http.StatusNotFound, "PGRST126", "Root endpoint metadata is disabled")
	}
	media, _, err := negotiate(r, mediaOpen, mediaJSON)
	if err != nil {
		return err
	}
	known := s.schema.Load()
	if known == nil {
		return noSchemaCache()
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", allowed)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	body, err := json.Marshal(s.openAPI(r, known.tables[of]))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has gone
	}
	return nil
}

func (s *Server) openAPI(r *http.Request, tables map[string]*table) object {
	address := &url.URL{Scheme: "http", Host: r.Host, Path: "/"}
	if r.TLS != nil {
		address.Scheme = "https"
	}
	if u, err := url.Parse(s.options.PublicURL); err == nil && u.Host != "" {
		address = u
	}
	paths := object{"/": object{"get": object{"tags": []string{"Introspection"}, "summary": "OpenAPI description (this document)",
		"produces": []string{mediaOpen, mediaJSON}, "responses": object{"200": object{"description": "OK"}}}}}
	definitions, parameters := object{}, commonParameters()
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		t := tables[name]
		if !t.readable && s.options.OpenAPIMode != "ignore-privileges" {
			continue
		}
		var refs []object
		for _, c := range t.columns {
			id := "rowFilter." + name + "." + c.name
			filter := object{"name": c.name, "in": "query", "required": false, "type": "string"}
			if c.comment != "" {
				filter["description"] = c.comment
			}
			parameters[id] = filter
			refs = append(refs, object{"$ref": "#/parameters/" + id})
		}
		for _, id := range []string{"select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"} {
			refs = append(refs, object{"$ref": "#/parameters/" + id})
		}
		summary, description, _ := strings.Cut(t.comment, "\n")
		get := object{"tags": []string{name}, "parameters": refs, "produces": []string{mediaJSON, mediaObject, mediaCSV}, "responses": object{
			"200": object{"description": "OK", "schema": object{"type": "array", "items": object{"$ref": "#/definitions/" + name}}},
			"206": object{"description": "Partial Content"}}}
		if summary != "" {
			get["summary"] = summary
		}
		if description = strings.TrimSpace(description); description != "" {
			get["description"] = description
		}
		paths["/"+name] = object{"get": get}
		definitions[name] = t.definition()
	}
	return object{
		"swagger": "2.0", "host": address.Host, "basePath": "/" + strings.Trim(address.Path, "/"), "schemes": []string{address.Scheme},
		"info":     object{"title": "hydraulics read API", "description": "Read-only, with PostgREST's query language.", "version": "1.0.0"},
		"consumes": []string{mediaJSON}, "produces": []string{mediaJSON, mediaObject, mediaCSV},
		"externalDocs": object{"description": "PostgREST Documentation", "url": "https://postgrest.org/en/stable/references/api.html"},
		"paths":        paths, "definitions": definitions, "parameters": parameters,
	}
}

func commonParameters() object {
	query := func(name, description string) object {
		return object{"name": name, "in": "query", "required": false, "type": "string", "description": description}
	}
	header := func(name, description string) object {
		return object{"name": name, "in": "header", "required": false, "type": "string", "description": description}
	}
	count := header("Prefer", "Preference")
	count["enum"] = []string{"count=exact", "count=planned", "count=estimated"}
	unit := header("Range-Unit", "Limiting and Pagination")
	unit["default"] = "items"
	return object{"select": query("select", "Filtering Columns"), "order": query("order", "Ordering"), "offset": query("offset", "Limiting and Pagination"),
		"limit": query("limit", "Limiting and Pagination"), "range": header("Range", "Limiting and Pagination"), "rangeUnit": unit, "preferCount": count}
}

// definition describes a table's rows.
func (t *table) definition() object {
	properties := object{}
	required := []string{}
	for _, c := range t.columns {
		p := object{"format": c.kind}
		switch {
		case c.array:
			p["type"], p["items"] = "array", object{"type": jsonType(strings.TrimPrefix(c.base, "_"))}
		case jsonType(c.base) != "":
			p["type"] = jsonType(c.base)
		}
		if c.length > 0 {
			p["maxLength"] = c.length
		}
		if len(c.words) > 0 {
			p["enum"] = c.words
		}
		description := c.comment
		if slices.Contains(t.key, c.name) {
			description = strings.TrimLeft(fmt.Sprintf("%s\n\nNote:\nThis is a Primary Key.<pk/>", c.comment), "\n")
		}
		if description != "" {
			p["description"] = description
		}
		if c.required {
			required = append(required, c.name)
		}
		properties[c.name] = p
	}
	d := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		d["required"] = required
	}
	if t.comment != "" {
		d["description"] = t.comment
	}
	return d
}

// jsonType gives how JSON has a type's values; empty is any way.
func jsonType(base string) string {
	switch base {
	case "int2", "int4", "int8":
		return "integer"
	case "float4", "float8", "numeric":
		return "number"
	case "bool":
		return "boolean"
	case "json", "jsonb":
		return ""
	}
	return "string"
}
