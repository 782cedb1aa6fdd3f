package registryd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// registry is the state and its log. Reads share a lock; a change is written to
// the log first and to memory after.
type registry struct {
	log   Log
	mu    sync.RWMutex
	state *state
}

func open(ctx context.Context, log Log) (*registry, error) {
	r := &registry{log: log, state: newState()}
	if err := log.Replay(ctx, r.state.replayed); err != nil {
		return nil, fmt.Errorf("embedded registry: %w", err)
	}
	return r, nil
}

// write appends an entry and applies it. It does not end with the request: an
// entry that is in the log must be in memory.
func (r *registry) write(ctx context.Context, key entryKey, value any) error {
	rawKey, err := json.Marshal(key)
	if err != nil {
		return storeFailed(err)
	}
	var rawValue []byte
	if value != nil {
		if rawValue, err = json.Marshal(value); err != nil {
			return storeFailed(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := r.log.Append(ctx, rawKey, rawValue); err != nil {
		return storeFailed(err)
	}
	if err := r.state.replayed(rawKey, rawValue); err != nil {
		return storeFailed(err)
	}
	return nil
}

func subjectKey(kind, subject string) entryKey {
	if subject == "" {
		return entryKey{Keytype: kind}
	}
	return entryKey{Keytype: kind, Subject: &subject}
}

func schemaKey(subject string, number int) entryKey {
	return entryKey{Keytype: keySchema, Subject: &subject, Version: number, Magic: 1}
}

// submitted is a schema that a request brings.
type submitted struct {
	Schema     string      `json:"schema"`
	SchemaType string      `json:"schemaType"`
	References []Reference `json:"references"`
	ID         int         `json:"id"`
	Version    int         `json:"version"`

	normalize bool // the order of what it says does not count
}

// parse checks a submitted schema.
func (r *registry) parse(in submitted) (parsed, error) {
	if formats[typeOf(in.SchemaType)] == nil {
		return nil, failf(codeInvalidSchema, "Invalid schema type %s: it must be AVRO, JSON or PROTOBUF", in.SchemaType)
	}
	if in.Schema == "" {
		return nil, failf(codeInvalidSchema, "Empty schema")
	}
	parsed, err := r.state.parse(typeOf(in.SchemaType), in.Schema, in.References)
	if err != nil {
		return nil, failf(codeInvalidSchema, "Invalid schema %s with refs %v of type %s, details: %v", compact(in.Schema), in.References, typeOf(in.SchemaType), err)
	}
	return parsed, nil
}

// known finds a schema, in a subject first where it is normalized.
func (r *registry) known(subject string, in submitted, p parsed, deletedToo bool) *stored {
	kind := typeOf(in.SchemaType)
	if in.normalize {
		want := identityOf(kind, p, in.References, true)
		for _, v := range slices.Backward(r.state.live(subject, deletedToo)) {
			if v.schema.kind == kind && v.schema.identity(true) == want {
				return v.schema
			}
		}
	}
	return r.state.byIdentity[identityOf(kind, p, in.References, false)]
}

// register gives the id of a schema in a subject, adding it where it is new.
func (r *registry) register(ctx context.Context, subject string, in submitted) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	parsed, err := r.parse(in)
	if err != nil {
		return 0, err
	}
	known := r.known(subject, in, parsed, false)
	if known != nil {
		for _, v := range r.state.live(subject, false) {
			if v.schema == known {
				return known.id, nil
			}
		}
	}
	if err := r.mayWrite(subject); err != nil {
		return 0, err
	}
	earlier := r.state.live(subject, false)
	if found := incompatibilities(r.state.level(subject), typeOf(in.SchemaType), parsed, earlier); len(found) > 0 {
		return 0, failf(codeIncompatible, "Schema being registered is incompatible with an earlier schema for subject %q, details: %v; compatibility: %s",
			subject, found, r.state.level(subject))
	}
	e := schemaEntry{Subject: subject, Version: 1, ID: r.state.nextID, SchemaType: namedType(typeOf(in.SchemaType)), References: in.References, Schema: parsed.text()}
	if all := r.state.subjects[subject]; len(all) > 0 {
		e.Version = all[len(all)-1].number + 1
	}
	if known != nil {
		e.ID, e.Schema = known.id, known.parsed.text()
	}
	return e.ID, r.write(ctx, schemaKey(subject, e.Version), e)
}

// lookup finds a schema in a subject.
func (r *registry) lookup(subject string, in submitted, deletedToo bool) (version, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.state.live(subject, deletedToo)) == 0 {
		return version{}, subjectNotFound(subject)
	}
	parsed, err := r.parse(in)
	if err != nil {
		return version{}, err
	}
	known := r.known(subject, in, parsed, deletedToo)
	for _, v := range slices.Backward(r.state.live(subject, deletedToo)) {
		if v.schema == known {
			return v, nil
		}
	}
	return version{}, schemaNotFound()
}

// check compares a schema with a version of a subject, or by the subject's level
// with all that count when number is empty. Anything goes with the latest version
// of a subject that has none.
func (r *registry) check(subject, number string, in submitted) ([]string, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	parsed, err := r.parse(in)
	if err != nil {
		return nil, err
	}
	if number == "" {
		return incompatibilities(r.state.level(subject), typeOf(in.SchemaType), parsed, r.state.live(subject, false)), nil
	}
	v, err := r.version(subject, number, false)
	if e, ok := errors.AsType[*apiError](err); ok && e.Code == codeSubjectNotFound {
		if number == "latest" || number == "-1" {
			return nil, nil
		}
		return nil, versionNotFound(number)
	}
	if err != nil {
		return nil, err
	}
	return incompatibilities(r.state.level(subject), typeOf(in.SchemaType), parsed, []version{v}), nil
}

// version finds a version by its number or "latest". The lock is the caller's.
func (r *registry) version(subject, number string, deletedToo bool) (version, error) {
	n := -1
	if number != "latest" {
		var err error
		if n, err = strconv.Atoi(number); err != nil || n < -1 || n == 0 {
			return version{}, failf(codeInvalidVersion, "The specified version '%s' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\"", number)
		}
	}
	all := r.state.live(subject, deletedToo)
	if len(all) == 0 {
		return version{}, subjectNotFound(subject)
	}
	if n == -1 {
		return all[len(all)-1], nil
	}
	if v := r.state.find(subject, n, deletedToo); v != nil {
		return *v, nil
	}
	return version{}, versionNotFound(number)
}

// mayWrite holds the mode of a subject or the registry.
func (r *registry) mayWrite(subject string) error {
	mode, own := r.state.modes[subject]
	if !own {
		mode = r.state.modes[""]
	}
	if mode == modeReadOnly || mode == modeReadOnlyOverride {
		return failf(codeOperationNotPermitted, "Subject %s is in read-only mode", subject)
	}
	return nil
}
