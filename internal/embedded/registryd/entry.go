package registryd

import (
	"encoding/json"
	"fmt"
)

// The entries of the log, as Confluent's registry writes them to _schemas.
const (
	keySchema        = "SCHEMA"
	keyConfig        = "CONFIG"
	keyMode          = "MODE"
	keyDeleteSubject = "DELETE_SUBJECT"
	keyNoop          = "NOOP"
)

type entryKey struct {
	Keytype string  `json:"keytype"`
	Subject *string `json:"subject,omitempty"` // of CONFIG and MODE: none is the whole registry
	Version int     `json:"version,omitempty"`
	Magic   int     `json:"magic"`
}

type schemaEntry struct {
	Subject    string      `json:"subject"`
	Version    int         `json:"version"`
	ID         int         `json:"id"`
	SchemaType string      `json:"schemaType,omitempty"` // none is AVRO
	References []Reference `json:"references,omitempty"`
	Schema     string      `json:"schema"`
	Deleted    bool        `json:"deleted"`
}

type configEntry struct {
	CompatibilityLevel string `json:"compatibilityLevel"`
}

type modeEntry struct {
	Mode string `json:"mode"`
}

// typeOf gives the type that a request or an entry names, where none is AVRO.
func typeOf(named string) string {
	if named == "" {
		return typeAvro
	}
	return named
}

// namedType gives the name of a type where one is written: AVRO is not.
func namedType(kind string) string {
	if kind == typeAvro {
		return ""
	}
	return kind
}

// noopEntry keeps the next id where a permanent deletion would make it known no
// more: an id that was given out once is in records.
type noopEntry struct {
	NextID int `json:"nextId"`
}

// replayed applies one entry of the log.
func (s *state) replayed(rawKey, rawValue []byte) error {
	var k entryKey
	if err := json.Unmarshal(rawKey, &k); err != nil {
		return fmt.Errorf("key %q: %w", rawKey, err)
	}
	subject := ""
	if k.Subject != nil {
		subject = *k.Subject
	}
	value := func(v any) error {
		if err := json.Unmarshal(rawValue, v); err != nil {
			return fmt.Errorf("value of %s: %w", rawKey, err)
		}
		return nil
	}
	switch k.Keytype {
	case keySchema:
		if rawValue == nil {
			s.purge(subject, k.Version)
			return nil
		}
		var e schemaEntry
		if err := value(&e); err != nil {
			return err
		}
		return s.put(e)
	case keyConfig:
		var e configEntry
		if rawValue == nil {
			delete(s.compatibility, subject)
			return nil
		}
		if err := value(&e); err != nil {
			return err
		}
		s.compatibility[subject] = e.CompatibilityLevel
	case keyMode:
		var e modeEntry
		if rawValue == nil {
			delete(s.modes, subject)
			return nil
		}
		if err := value(&e); err != nil {
			return err
		}
		s.modes[subject] = e.Mode
	case keyNoop:
		var e noopEntry
		if rawValue != nil {
			if err := value(&e); err != nil {
				return err
			}
		}
		s.nextID = max(s.nextID, e.NextID)
	case keyDeleteSubject: // what Confluent adds to the deleted versions' own entries
	default:
		return fmt.Errorf("key %q: an entry of this kind is not known", rawKey)
	}
	return nil
}
