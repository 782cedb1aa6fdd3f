//go:build integration

package postgres

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// Tasks work behind a pooler that gives each transaction another connection,
// whether its users have said so or not.
func TestPooler(t *testing.T) {
	const tasks, batches = 8, 40
	for _, said := range []string{"", "&prepareThreshold=0", "&preferQueryMode=simple"} {
		t.Run(said, func(t *testing.T) {
			d := newDatabase(t, "")
			address, _, _ := strings.Cut(strings.TrimPrefix(pgtest.Pooled(t, d.url), "postgres://postgres@"), "?")
			pooled := database{d.Pool, "jdbc:postgresql://" + address + "?user=postgres&sslmode=disable" + said}
			errs := make([]error, tasks)
			var wait sync.WaitGroup
			for i := range tasks {
				table := fmt.Sprintf("t%d", i%4)
				s, reporter := pooled.start(t, with(upsert, "table.name.format", table))
				wait.Go(func() {
					for b := range batches {
						var records []connector.Record
						for n := range 50 {
							records = append(records, pair(int32(i*100_000+b*50+n), "a"))
						}
						if b%10 == 9 {
							records = append(records, pair(-1, "too much \x00"))
						}
						if errs[i] = s.Put(t.Context(), numbered(records...)); errs[i] != nil {
							return
						}
					}
					if _, causes := reporter.Reported(); len(causes) != batches/10 {
						errs[i] = fmt.Errorf("reported %v", causes)
					}
				})
			}
			wait.Wait()
			for i, err := range errs {
				if err != nil {
					t.Errorf("task %d: %v", i, err)
				}
			}
			for i := range 4 {
				wantRows(t, d, fmt.Sprintf("SELECT count(*) FROM t%d", i), fmt.Sprint(2*batches*50))
			}
		})
	}
	t.Run("named statements are asked for", func(t *testing.T) {
		d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text)")
		pooled := database{d.Pool, pgtest.Pooled(t, d.url) + "&default_query_exec_mode=cache_statement"}
		for range 20 {
			s, err := pooled.bare(t, upsert)
			if err == nil {
				err = s.Put(t.Context(), numbered(pair(1, "a")))
			}
			if err != nil {
				if !strings.Contains(err.Error(), "prepareThreshold=0") {
					t.Errorf("got %v", err)
				}
				return
			}
		}
		t.Error("no statement met another one of its name")
	})
}
