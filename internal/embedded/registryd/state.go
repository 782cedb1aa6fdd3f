package registryd

import (
	"crypto/sha256"
	"fmt"
	"slices"
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
	kind       string // its type: AVRO, JSON or PROTOBUF
	references []Reference
	parsed     parsed
}

func (st *stored) identity(normalized bool) [sha256.Size]byte {
	return identityOf(st.kind, st.parsed, st.references, normalized)
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
func (s *state) parse(kind, text string, references []Reference) (parsed, error) {
	list, err := s.referred(kind, references, nil)
	if err != nil {
		return nil, err
	}
	return formats[kind](text, list)
}

// referred gives the schemas that are referred to, each after those that it
// refers to itself.
func (s *state) referred(kind string, references []Reference, open []string) ([]referred, error) {
	var list []referred
	for _, r := range references {
		v := s.find(r.Subject, r.Version, true)
		if v == nil {
			return nil, fmt.Errorf("reference %s: subject %s has no version %d", r.Name, r.Subject, r.Version)
		}
		place := fmt.Sprintf("%s/%d", r.Subject, r.Version)
		if slices.Contains(open, place) {
			return nil, fmt.Errorf("reference %s: %s refers to itself", r.Name, place)
		}
		if v.schema.kind != kind {
			return nil, fmt.Errorf("reference %s: %s is of type %s, not %s", r.Name, place, v.schema.kind, kind)
		}
		inner, err := s.referred(kind, v.schema.references, append(open, place))
		if err != nil {
			return nil, err
		}
		list = append(append(list, inner...), referred{r.Name, v.schema.parsed.text()})
	}
	return list, nil
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
		kind := typeOf(e.SchemaType)
		if formats[kind] == nil {
			return fmt.Errorf("schema %d: its type %s is not known", e.ID, kind)
		}
		parsed, err := s.parse(kind, e.Schema, e.References)
		if err != nil {
			return fmt.Errorf("schema %d: %w", e.ID, err)
		}
		st = &stored{id: e.ID, kind: kind, references: e.References, parsed: parsed}
		s.ids[e.ID] = st
		s.byIdentity[st.identity(false)] = st
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
		delete(s.byIdentity, st.identity(false))
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
