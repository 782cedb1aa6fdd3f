package registryd

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/twmb/avro"

	"github.com/axiom-data-science/hydraulics/internal/data/wholejson"
)

// Reference names a schema whose types another one uses.
type Reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// stored is a schema, which has one id however many subjects have it.
type stored struct {
	id         int
	text       string
	references []Reference
	parsed     *avro.Schema
}

// version is a schema's place in a subject.
type version struct {
	number  int
	schema  *stored
	deleted bool
}

// state is what the log says. Its methods change memory only.
type state struct {
	ids           map[int]*stored
	byIdentity    map[[sha256.Size]byte]*stored
	subjects      map[string][]version // by number, deleted ones too
	compatibility map[string]string    // "" is the whole registry
	modes         map[string]string
	nextID        int
}

func newState() *state {
	return &state{ids: map[int]*stored{}, byIdentity: map[[sha256.Size]byte]*stored{}, subjects: map[string][]version{},
		compatibility: map[string]string{}, modes: map[string]string{}, nextID: 1}
}

// parse checks a schema against those it refers to.
func (s *state) parse(text string, references []Reference) (*avro.Schema, error) {
	var cache avro.SchemaCache
	if err := s.parseReferences(&cache, references, nil); err != nil {
		return nil, err
	}
	return cache.Parse(text)
}

func (s *state) parseReferences(cache *avro.SchemaCache, references []Reference, open []string) error {
	for _, r := range references {
		v := s.find(r.Subject, r.Version, true)
		if v == nil {
			return fmt.Errorf("reference %s: subject %s has no version %d", r.Name, r.Subject, r.Version)
		}
		place := fmt.Sprintf("%s/%d", r.Subject, r.Version)
		if slices.Contains(open, place) {
			return fmt.Errorf("reference %s: %s refers to itself", r.Name, place)
		}
		if err := s.parseReferences(cache, v.schema.references, append(open, place)); err != nil {
			return err
		}
		if _, err := cache.Parse(v.schema.text); err != nil {
			return fmt.Errorf("reference %s: %w", r.Name, err)
		}
	}
	return nil
}

// find gives a version of a subject, nil without it.
func (s *state) find(subject string, number int, deletedToo bool) *version {
	for i := range s.subjects[subject] {
		v := &s.subjects[subject][i]
		if v.number == number && (deletedToo || !v.deleted) {
			return v
		}
	}
	return nil
}

// live gives a subject's versions, in order.
func (s *state) live(subject string, deletedToo bool) []version {
	var list []version
	for _, v := range s.subjects[subject] {
		if deletedToo || !v.deleted {
			list = append(list, v)
		}
	}
	return list
}

// put adds or replaces a version.
func (s *state) put(e schemaEntry) error {
	st := s.ids[e.ID]
	if st == nil {
		parsed, err := s.parse(e.Schema, e.References)
		if err != nil {
			return fmt.Errorf("schema %d: %w", e.ID, err)
		}
		st = &stored{id: e.ID, text: e.Schema, references: e.References, parsed: parsed}
		s.ids[e.ID] = st
		s.byIdentity[identity(e.Schema, e.References)] = st
	}
	s.nextID = max(s.nextID, e.ID+1)
	v := version{number: e.Version, schema: st, deleted: e.Deleted}
	if old := s.find(e.Subject, e.Version, true); old != nil {
		*old = v
		return nil
	}
	s.subjects[e.Subject] = append(s.subjects[e.Subject], v)
	slices.SortFunc(s.subjects[e.Subject], func(a, b version) int { return a.number - b.number })
	return nil
}

// purge forgets a version, and its schema when no other has it.
func (s *state) purge(subject string, number int) {
	v := s.find(subject, number, true)
	if v == nil {
		return
	}
	st := v.schema
	left := slices.DeleteFunc(s.subjects[subject], func(v version) bool { return v.number == number })
	if s.subjects[subject] = left; len(left) == 0 {
		delete(s.subjects, subject)
	}
	if len(s.usesOf(st.id, true)) == 0 {
		delete(s.ids, st.id)
		delete(s.byIdentity, identity(st.text, st.references))
	}
}

type subjectVersion struct {
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// usesOf gives the subjects and versions that have a schema, in order.
func (s *state) usesOf(id int, deletedToo bool) []subjectVersion {
	list := []subjectVersion{}
	for _, subject := range s.subjectNames() {
		for _, v := range s.live(subject, deletedToo) {
			if v.schema.id == id {
				list = append(list, subjectVersion{subject, v.number})
			}
		}
	}
	return list
}

// referrers gives the ids of the schemas that refer to a version.
func (s *state) referrers(subject string, number int) []int {
	ids := []int{}
	for id, st := range s.ids {
		for _, r := range st.references {
			if r.Subject == subject && r.Version == number && len(s.usesOf(id, false)) > 0 {
				ids = append(ids, id)
				break
			}
		}
	}
	slices.Sort(ids)
	return ids
}

func (s *state) subjectNames() []string {
	names := make([]string, 0, len(s.subjects))
	for n := range s.subjects {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// identity tells schemas apart by what they say: white space, the order of keys
// and {"type":"int"} for "int" do not count. A text that is no JSON is a name.
func identity(text string, references []Reference) [sha256.Size]byte {
	var v any
	if err := wholejson.Unmarshal([]byte(text), &v); err != nil {
		v = text
	}
	if len(references) == 0 {
		references = nil
	}
	canonical, err := json.Marshal([]any{simplify(v), references})
	if err != nil {
		canonical = []byte(text) // JSON that was just read can be written
	}
	return sha256.Sum256(canonical)
}

func simplify(v any) any {
	switch x := v.(type) {
	case map[string]any:
		if name, ok := x["type"].(string); ok && len(x) == 1 {
			return name
		}
		for k, e := range x {
			x[k] = simplify(e)
		}
	case []any:
		for i, e := range x {
			x[i] = simplify(e)
		}
	}
	return v
}

// compact takes the white space out of a schema's text.
func compact(text string) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		return text
	}
	return b.String()
}
