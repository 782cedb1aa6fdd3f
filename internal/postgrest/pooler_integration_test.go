//go:build integration

package postgrest

import (
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// Behind a pooler that gives each transaction another connection every request
// is answered.
func TestPooler(t *testing.T) {
	for _, said := range []string{"", "&prepareThreshold=0", "&pgbouncer=true", "&default_query_exec_mode=describe_exec", "&default_query_exec_mode=simple_protocol"} {
		t.Run(said, func(t *testing.T) {
			a := newAPI(t, func(o *Options) { o.URI, o.Deaf = pgtest.Pooled(t, o.URI)+said, said != "" })
			targets := []string{"/items?select=id", "/items?select=id,big&id=eq.1", "/items?order=id.desc&limit=1", "/items.csv?select=at,tags", "/good?name=eq.one"}
			var group errgroup.Group
			group.SetLimit(6)
			for i := range 240 {
				group.Go(func() error {
					target := targets[i%len(targets)]
					if r := a.ask(t, "GET "+target, "Prefer", []string{"count=exact", "count=estimated", ""}[i%3]); r.StatusCode/100 != 2 {
						t.Errorf("%s: %d %s", target, r.StatusCode, body(t, r))
					}
					return nil
				})
			}
			_ = group.Wait() // errors are the test's
		})
	}
	t.Run("named statements are asked for", func(t *testing.T) {
		a := newAPI(t, func(o *Options) {
			o.URI, o.Deaf = pgtest.Pooled(t, o.URI)+"&default_query_exec_mode=cache_statement", true
		})
		for range 60 {
			r := a.ask(t, "GET /items?select=id")
			if text := body(t, r); r.StatusCode != 200 && (r.StatusCode != 503 || !strings.Contains(text, "PGRST00") && !strings.Contains(text, "prepareThreshold=0")) {
				t.Errorf("got %d %s", r.StatusCode, text)
			}
		}
	})
}
