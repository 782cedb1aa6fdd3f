package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/converter/json"
	"github.com/axiom-data-science/hydraulics/internal/test/bench/stats"
)

// debezium is Debezium's JDBC sink as those set it who know it well: a statement of many
// rows (the driver's reWriteBatchedInserts is in the URL), which one poll brings, and
// fetches that have as many.
var debezium = side{name: "Java, Debezium's JDBC sink, tuned", java: true, config: map[string]string{"batch.size": "5000", "consumer.override.max.poll.records": "5000",
	"consumer.override.max.partition.fetch.bytes": "16777216", "consumer.override.fetch.min.bytes": "1048576", "consumer.override.fetch.max.wait.ms": "100"}}

// dataPartitions is how many the topic of rows has, and so the most tasks.
const dataPartitions = 8

// dataLanes upsert the rows of a topic, JSON with schemas, in a table of PostgreSQL.
func (b *bench) dataLanes() []lane {
	var rows string
	fill := func(ctx context.Context) (err error) {
		if rows == "" {
			rows, err = b.fillRows(ctx)
		}
		return err
	}
	var lanes []lane
	for _, tasks := range []int{1, 4, dataPartitions} {
		lanes = append(lanes, lane{fmt.Sprintf("JSON with schemas to PostgreSQL, %d rows, tasks: %d", b.rows, tasks), []side{ours, debezium}, fill,
			func(ctx context.Context, s side) (cost, error) { return b.upsert(ctx, s, rows, tasks) }})
	}
	return lanes
}

// fillRows makes the table and the topic of its rows.
func (b *bench) fillRows(ctx context.Context) (topic string, err error) {
	if b.database = os.Getenv("HYDRAULICS_POSTGRES_URL"); b.database == "" {
		return "", errors.New("HYDRAULICS_POSTGRES_URL is not set: make bench-data starts what it names")
	}
	if err := b.sql(ctx, "DROP TABLE IF EXISTS t; "+stats.Table); err != nil {
		return "", err
	}
	conv := new(json.Converter)
	conf, _ := conv.ConfigDef().Check(connector.Props{}) // the defaults
	if err := conv.Configure(connector.Context{}, conf, false); err != nil {
		return "", err
	}
	return b.topics.fill(ctx, "rows", b.rows, dataPartitions, func(i int) ([]byte, error) { return conv.FromConnect(ctx, "rows", stats.Schema, stats.Value(i)) })
}

// sql runs statements.
func (b *bench) sql(ctx context.Context, statements string) error {
	return b.ask(ctx, func(db *pgx.Conn) error {
		_, err := db.Exec(ctx, statements, pgx.QueryExecModeSimpleProtocol)
		return err
	})
}

// ask does something on a connection to the database.
func (b *bench) ask(ctx context.Context, do func(db *pgx.Conn) error) error {
	db, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close(ctx))
}

// upsert takes the topic of rows to the empty table.
func (b *bench) upsert(ctx context.Context, s side, topic string, tasks int) (c cost, err error) {
	if err := b.sql(ctx, "TRUNCATE t; CHECKPOINT"); err != nil {
		return c, err
	}
	config := map[string]string{"topics": topic, "tasks.max": fmt.Sprint(tasks), "consumer.override.group.id": fmt.Sprintf("bench-%d", time.Now().UnixNano()),
		"value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "true", "insert.mode": "upsert"}
	if err := b.place(s, config); err != nil {
		return c, err
	}
	return c, b.ask(ctx, func(db *pgx.Conn) error {
		if _, err := db.Exec(ctx, "SET enable_seqscan = off"); err != nil {
			return err
		}
		if c, err = b.journey(ctx, s, b.rows, config, b.arrived(ctx, db)); err != nil {
			return err
		}
		var count int
		if err := db.QueryRow(ctx, "SELECT count(*) FROM t").Scan(&count); err != nil || count == b.rows {
			return err
		}
		return fmt.Errorf("the table has %d rows of %d", count, b.rows)
	})
}

// place adds to a sink's configuration, with the keys of the side, where it writes.
func (b *bench) place(s side, config map[string]string) error {
	keys := "time,ifcb_id,roi"
	if !s.java {
		config["connector.class"], config["connection.url"], config["table.name.format"] = "postgres", b.database, "t"
		config["pk.mode"], config["pk.fields"] = "record_value", keys
		return nil
	}
	u, err := url.Parse(b.database)
	if err != nil {
		return err
	}
	config["connector.class"], config["collection.name.format"] = "io.debezium.connector.jdbc.JdbcSinkConnector", "t"
	config["connection.url"] = "jdbc:postgresql://" + u.Host + u.Path + "?reWriteBatchedInserts=true"
	config["connection.username"], config["connection.password"] = u.User.Username(), "none"
	if password, ok := u.User.Password(); ok {
		config["connection.password"] = password
	}
	config["primary.key.mode"], config["primary.key.fields"] = "record_value", keys
	return nil
}

// arrived gives what tells whether the last row of each partition is there, and so all
// before it. It looks for one of them at a time, by the index.
func (b *bench) arrived(ctx context.Context, db *pgx.Conn) func() (bool, error) {
	next := max(0, b.rows-dataPartitions)
	return func() (bool, error) {
		for next < b.rows {
			time, roi := stats.Key(next)
			var there bool
			err := db.QueryRow(ctx, "SELECT EXISTS (SELECT FROM t WHERE time = $1 AND ifcb_id = $2 AND roi = $3)", time, stats.Instrument, roi).Scan(&there)
			if err != nil || !there {
				return false, err
			}
			next++
		}
		return true, nil
	}
}
