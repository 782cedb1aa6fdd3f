package classify

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/model"
)

// parts are what is known of a classification, by the names that the key
// headers has for them.
var parts = []string{"name", "prob", "classifier", "time", "model", "version", "digest", "preprocessing", "scores"}

// embedding is a part of which there are fields only: it is long.
const embedding = "embedding"

var fieldParts = append(slices.Clone(parts), embedding)

// output is a part of a classification that is added to records.
type output struct {
	part   string
	field  string // or header
	schema *connector.Schema
	value  func(r model.Result, at time.Time) any
}

// scoresSchema is a probability by class.
var scoresSchema = connector.MapOf(connector.StringSchema, connector.Float32Schema)

var embeddingSchema = connector.ArrayOf(connector.Float32Schema)

// outputOf gives a part under a field's name.
func outputOf(part, field string) output {
	o := output{part: part, field: field, schema: connector.StringSchema}
	switch part {
	case "name":
		o.value = func(r model.Result, _ time.Time) any { return r.Class }
	case "prob":
		o.schema, o.value = connector.Float32Schema, func(r model.Result, _ time.Time) any { return r.Prob }
	case "classifier":
		o.value = func(r model.Result, _ time.Time) any { return r.Model }
	case "time":
		o.schema, o.value = connector.Int64Schema, func(_ model.Result, at time.Time) any { return at.Unix() }
	case "model":
		o.value = func(r model.Result, _ time.Time) any { name, _ := r.NameVersion(); return name }
	case "version":
		o.value = func(r model.Result, _ time.Time) any { _, version := r.NameVersion(); return version }
	case "digest":
		o.schema, o.value = connector.StringSchema.AsOptional(), func(r model.Result, _ time.Time) any {
			if r.By == nil || r.By.Digest == "" {
				return nil
			}
			return strings.ToLower(r.By.Digest)
		}
	case "preprocessing":
		o.schema, o.value = connector.StringSchema.AsOptional(), func(r model.Result, _ time.Time) any {
			if r.By == nil || r.By.Preparation() == "" {
				return nil
			}
			return r.By.Preparation()
		}
	case "scores":
		o.schema, o.value = scoresSchema, func(r model.Result, _ time.Time) any { return scoresOf(r) }
	case embedding:
		o.schema, o.value = embeddingSchema, func(r model.Result, _ time.Time) any { return embeddingOf(r) }
	}
	return o
}

// embeddingOf gives the embedding as a list.
func embeddingOf(r model.Result) []any {
	list := make([]any, len(r.Embedding))
	for i, v := range r.Embedding {
		list[i] = v
	}
	return list
}

// scoresOf gives the probability of each class.
func scoresOf(r model.Result) map[string]any {
	scores := make(map[string]any, len(r.Scores))
	for i, v := range r.Scores {
		scores[r.By.Labels[i]] = v
	}
	return scores
}

// headerOf gives a part under a header's name: the scores as JSON, since headers
// are passed as text.
func headerOf(part, header string) output {
	o := outputOf(part, header)
	if part == "scores" {
		o.schema, o.value = connector.StringSchema, func(r model.Result, _ time.Time) any {
			text, err := json.Marshal(scoresOf(r))
			if err != nil {
				return nil // finite numbers have a form in JSON
			}
			return string(text)
		}
	}
	return o
}

// outputsOf gives what a configuration adds as fields and as headers.
func outputsOf(conf connector.Config) (fields, headers []output) {
	for _, part := range fieldParts {
		if name := conf.String(part + ".field"); name != "" {
			fields = append(fields, outputOf(part, name))
		}
	}
	wanted := map[string]bool{}
	for _, part := range conf.List("headers") {
		wanted[part] = true
	}
	for _, part := range parts {
		if wanted[part] || wanted["all"] {
			headers = append(headers, headerOf(part, conf.String("header.prefix")+part))
		}
	}
	return fields, headers
}
