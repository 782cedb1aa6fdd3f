package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

var _ connector.Checker = (*Sink)(nil)

// Check looks at the database and at its clock, and at the tables of the topics.
func (s *Sink) Check(ctx context.Context, c connector.Context, conf connector.Config, found func(connector.Finding)) {
	what := "database"
	tell := func(f connector.Finding) {
		f.Err = s.mark(s.waiting.Explain(f.Err), 0, connector.After(0))
		found(f)
	}
	ctx, s.waiting = pg.WithPatience(ctx, time.Hour) // ctx says how long
	defer s.waiting.End()
	if err := s.configure(c, conf); err != nil {
		found(connector.Finding{What: what, Err: connector.Coded("H1009", err)})
		return
	}
	if parsed, _, err := pg.ParseOptions(s.set.options); err == nil {
		what += " " + pg.Place(parsed)
	}
	pool, remarks, err := pg.Open(ctx, s.set.options)
	if err != nil {
		tell(connector.Finding{What: what, Err: err})
		return
	}
	s.pool, s.database = pool, pool.Config().ConnConfig.Database
	defer func() { _ = s.Stop() }() // it gives no error
	for _, r := range remarks {
		found(connector.Finding{What: what, Warning: true, Err: connector.Coded("H1008", errors.New("connection.url: "+r))})
	}
	f, standby := connector.Finding{What: what}, false
	if f.Err = pool.QueryRow(ctx, "SELECT 'PostgreSQL ' || pg_catalog.current_setting('server_version'), pg_catalog.clock_timestamp(), pg_catalog.pg_is_in_recovery()").
		Scan(&f.Says, &f.Clock, &standby); standby {
		f.Err = connector.Coded("H5001", errors.New("it is a standby, which takes no writes"))
	}
	tell(f)
	if s.set.version > 0 {
		f := connector.Finding{What: what + ": its version", Says: fmt.Sprintf("at least %d", s.set.version)}
		if f.Warning, f.Err = s.checkVersion(ctx); f.Warning {
			f.Err = connector.Coded("H5008", errors.New("no version of the database is noted: run hydraulics database up"))
		}
		tell(f)
	}
	if !s.set.fromSource {
		s.checkTables(ctx, conf, tell)
	}
}

// checkTables looks at the tables of the topics: the right key, and the rights to write.
func (s *Sink) checkTables(ctx context.Context, conf connector.Config, tell func(connector.Finding)) {
	topics, _ := conf.Props().Text("topics")
	for topic := range strings.SplitSeq(topics, ",") {
		if topic = strings.TrimSpace(topic); topic == "" {
			continue
		}
		f := connector.Finding{What: "table of topic " + topic}
		name, err := s.tableName(topic, s.set.format)
		if err != nil {
			f.Err = err
			tell(f)
			continue
		}
		f.What = "table " + name.String()
		t, err := s.read(ctx, name)
		switch {
		case err != nil:
			f.Err = err
		case t == nil && s.set.create:
			f.Says = "it is not there, and is made with the first record"
			f.Err = s.checkCreate(ctx, name)
		case t == nil:
			f.Err = errMissing(name)
		default:
			f.Says = fmt.Sprintf("it fits, columns: %d", len(t.Columns))
			if f.Err = s.checkTable(ctx, topic); f.Err == nil {
				f.Warning, f.Err = s.checkInsert(ctx, t)
			}
		}
		tell(f)
	}
}

// checkCreate looks whether the user may make a table.
func (s *Sink) checkCreate(ctx context.Context, name pg.Name) error {
	may := false
	err := s.pool.QueryRow(ctx, "SELECT pg_catalog.has_schema_privilege(coalesce(nullif($1, ''), pg_catalog.current_schema()), 'CREATE')", name.Schema).Scan(&may)
	if err == nil && !may {
		err = connector.Coded("H5004", errors.New("the user may not make it: run GRANT CREATE on its schema"))
	}
	return err
}

// checkInsert looks whether the user may add rows, where no key says in which columns.
// A right to some columns is only warned of: records may have those.
func (s *Sink) checkInsert(ctx context.Context, t *pg.Table) (warning bool, err error) {
	if len(s.set.pkFields) > 0 || s.set.mode == modeUpdate {
		return false, nil
	}
	grants, err := t.Grants(ctx, s.pool, []pg.Right{{Privilege: "INSERT"}})
	if err != nil || grants == "" {
		return false, err
	}
	says := "the user lacks privileges: run " + grants
	err = s.pool.QueryRow(ctx, "SELECT pg_catalog.has_schema_privilege(relnamespace, 'USAGE') AND pg_catalog.has_any_column_privilege(oid, 'INSERT') FROM pg_catalog.pg_class WHERE oid = $1", t.OID).
		Scan(&warning)
	if err != nil {
		return false, err
	}
	if warning {
		says += ", unless it may in the columns that records have"
	}
	return warning, connector.Coded("H5004", errors.New(says))
}
