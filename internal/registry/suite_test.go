package registry

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/riferrei/srclient"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/embedded/registryd"
)

// inProcess starts the embedded registry over a log that ends with the test.
func inProcess(t *testing.T) string {
	t.Helper()
	s, err := registryd.Start(t.Context(), new(registryd.MemoryLog), registryd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s.URL()
}

func TestSuiteInProcess(t *testing.T) { suite(t, inProcess(t)) }

const (
	schemaA   = `{"type":"record","name":"P","namespace":"suite","fields":[{"name":"x","type":"int"}]}`
	schemaB   = `{"type":"record","name":"P","namespace":"suite","fields":[{"name":"x","type":"int"},{"name":"y","type":"int","default":0}]}`
	schemaBad = `{"type":"record","name":"P","namespace":"suite","fields":[{"name":"x","type":"string"}]}`
)

// suite holds any registry with Confluent's API to what hydraulics relies on.
func suite(t *testing.T, url string) {
	ctx := t.Context()
	c, err := New(Options{URLs: []string{url}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	subject := fmt.Sprintf("suite-%d-value", time.Now().UnixNano()) // a real registry remembers the last run
	t.Run("our client", func(t *testing.T) {
		if err := c.SetCompatibility(ctx, subject, Backward); err != nil {
			t.Fatal(err)
		}
		a, err := c.Register(ctx, subject, schemaA)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.ByID(ctx, a.ID)
		if err != nil || got.ID != a.ID {
			t.Fatalf("by id %d: %+v, %v", a.ID, got, err)
		}
		b, err := c.Register(ctx, subject, schemaB)
		if err != nil || b.ID == a.ID {
			t.Fatalf("second schema: %+v, %v", b, err)
		}
		latest, err := c.Latest(ctx, subject)
		if err != nil || latest.ID != b.ID || latest.Version != 2 {
			t.Errorf("latest: %+v, %v", latest, err)
		}
		fresh, err := New(Options{URLs: []string{url}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(fresh.Close)
		if s, err := fresh.Register(ctx, subject, schemaA); err != nil || s.ID != a.ID {
			t.Errorf("registered again: %+v, %v", s, err)
		}
		if s, err := fresh.Lookup(ctx, subject, schemaB); err != nil || s.ID != b.ID {
			t.Errorf("looked up: %+v, %v", s, err)
		}
		for name, ask := range map[string]func() error{
			"incompatible": func() error { _, err := c.Register(ctx, subject, schemaBad); return err },
			"no subject":   func() error { _, err := c.Latest(ctx, subject+"-not"); return err },
			"no schema":    func() error { _, err := c.Lookup(ctx, subject, `"bytes"`); return err },
			"no id":        func() error { _, err := c.ByID(ctx, 1<<30); return err },
			"no Avro":      func() error { _, err := c.Register(ctx, subject, `{"type":"record"}`); return err },
		} {
			if err := ask(); connector.KindOf(err) != connector.KindData {
				t.Errorf("%s: %v is %s, want data", name, err, connector.KindOf(err))
			}
		}
		if err := c.SetCompatibility(ctx, subject, None); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Register(ctx, subject, schemaBad); err != nil {
			t.Errorf("with compatibility NONE: %v", err)
		}
	})
	t.Run("srclient", func(t *testing.T) { suiteOfSrclient(t, url, subject+"-2") })
}

// suiteOfSrclient uses srclient as its users do, unmodified.
func suiteOfSrclient(t *testing.T, url, subject string) {
	sr := srclient.NewSchemaRegistryClient(url)
	a, err := sr.CreateSchema(subject, schemaA, srclient.Avro)
	if err != nil {
		t.Fatal(err)
	}
	if a.Codec() == nil {
		t.Errorf("the schema that came back is not one: %s", a.Schema())
	}
	if _, err := sr.ChangeSubjectCompatibilityLevel(subject, srclient.Full); err != nil { // Apicurio answers with another key
		t.Errorf("change of compatibility: %v", err)
	}
	if level, err := sr.GetCompatibilityLevel(subject, true); err != nil || *level != srclient.Full {
		t.Errorf("compatibility: %v, %v", level, err)
	}
	if ok, err := sr.IsSchemaCompatible(subject, schemaB, "latest", srclient.Avro); err != nil || !ok {
		t.Errorf("a compatible schema: %t, %v", ok, err)
	}
	if ok, err := sr.IsSchemaCompatible(subject, schemaBad, "latest", srclient.Avro); err != nil || ok {
		t.Errorf("an incompatible schema: %t, %v", ok, err)
	}
	if _, err := sr.CreateSchema(subject, schemaB, srclient.Avro); err != nil {
		t.Fatal(err)
	}
	if versions, err := sr.GetSchemaVersions(subject); err != nil || !slices.Equal(versions, []int{1, 2}) {
		t.Errorf("versions: %v, %v", versions, err)
	}
	if s, err := sr.GetSchemaByVersion(subject, 1); err != nil || s.ID() != a.ID() {
		t.Errorf("version 1: %+v, %v", s, err)
	}
	if s, err := sr.LookupSchema(subject, schemaA, srclient.Avro); err != nil || s.ID() != a.ID() || s.Version() != 1 {
		t.Errorf("lookup: %+v, %v", s, err)
	}
	if uses, err := sr.GetSubjectVersionsById(a.ID()); err != nil || len(uses) == 0 {
		t.Errorf("uses: %v, %v", uses, err)
	}
	if subjects, err := sr.GetSubjects(); err != nil || !slices.Contains(subjects, subject) {
		t.Errorf("subjects: %v, %v", subjects, err)
	}
	if err := sr.DeleteSubjectByVersion(subject, 2, false); err != nil {
		t.Errorf("delete version: %v", err)
	}
	if err := sr.DeleteSubject(subject, true); err != nil {
		t.Errorf("delete subject: %v", err)
	}
	if subjects, err := sr.GetSubjects(); err != nil || slices.Contains(subjects, subject) {
		t.Errorf("subjects after the deletion: %v, %v", subjects, err)
	}
}
