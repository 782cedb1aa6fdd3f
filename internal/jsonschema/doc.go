// Package jsonschema reads JSON Schemas as Confluent's registry and converter understand them: a schema has one kind, by
// its type or by the keywords it has, and what says several things at once is a combination of schemas. It keeps the
// order of properties, follows references, and says what makes one schema refuse what an earlier one has allowed.
package jsonschema
