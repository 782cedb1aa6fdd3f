#!/usr/bin/env bash
# Records what a real Debezium connector for PostgreSQL writes to Kafka: the bytes of
# keys and values that tests of the sink read, and the rows of the tables as the server
# says them in the end. Needs PostgreSQL with PostGIS; Kafka and Java's worker are those
# of servers.sh.
#
#   record-debezium.sh [DIR]     DIR is where the servers are, .cache/servers
#
# connectors/postgres/testdata/debezium has schema.sql, postgis.sql, rows.sql and
# changes.sql, which are run, and takes records.jsonl.gz and rows.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
servers=${1:-.cache/servers}; mkdir -p "$servers"; servers=$(cd "$servers" && pwd)
to=$PWD/connectors/postgres/testdata/debezium
port=${POSTGRES_PORT:-27432} rest=${REST_PORT:-27083}
work=$(mktemp -d); chmod 755 "$work"; mkdir "$work/data"
as=(); if [ "$(id -u)" = 0 ]; then as=(runuser -u postgres --); fi
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
worker=
finish() {
  [ -z "$worker" ] || kill "$worker" 2>/dev/null || true
  [ ! -f "$work/data/postmaster.pid" ] || (cd / && "${as[@]}" "$bin/pg_ctl" -D "$work/data" -m immediate stop >&2) || true
  .ci/servers.sh stop "$servers"
  rm -rf "$work"
}
trap finish EXIT

rm -rf "$servers/kafka" # what was recorded before
environment=$(.ci/servers.sh start-kafka "$servers")
while IFS= read -r line; do export "${line?}"; done <<<"$environment"
plugins=$(.ci/servers.sh fetch-debezium "$servers")

if [ "$(id -u)" = 0 ]; then chown postgres: "$work/data"; fi
(cd / && "${as[@]}" "$bin/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --no-locale >/dev/null
  "${as[@]}" "$bin/pg_ctl" -D "$work/data" -w -l "$work/data/server.log" -o "-p $port -c wal_level=logical -c listen_addresses=127.0.0.1 -c unix_socket_directories=" start >&2)
sql() { psql -q -v ON_ERROR_STOP=1 "postgres://postgres@127.0.0.1:$port/postgres?options=-ctimezone%3DUTC" "$@"; }
for file in schema postgis rows; do sql -f "$to/$file.sql"; done

cat >"$work/worker.properties" <<EOF
bootstrap.servers=$HYDRAULICS_KAFKA_BOOTSTRAP
listeners=http://127.0.0.1:$rest
plugin.path=$plugins
plugin.discovery=service_load
offset.storage.file.filename=$work/offsets
offset.flush.interval.ms=1000
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.replace.null.with.default=false
EOF
connector() { # NAME PREFIX KEY=VALUE...  prints a connector's file
  echo "$work/$1.properties"
  cat >"$work/$1.properties" <<EOF
name=$1
connector.class=io.debezium.connector.postgresql.PostgresConnector
plugin.name=pgoutput
database.hostname=127.0.0.1
database.port=$port
database.user=postgres
database.password=none
database.dbname=postgres
topic.prefix=$1
slot.name=$1
publication.name=$1
skipped.operations=none
unavailable.value.placeholder=__debezium_unavailable_value
$(shift; printf '%s\n' "$@")
EOF
}
# plain has the defaults, told what Debezium's JDBC sink wants to know of types; words
# says intervals, times, decimals and hstore in the other form that there is.
plain=$(connector plain 'schema.include.list=sea' 'column.propagate.source.type=.*')
words=$(connector words 'table.include.list=sea.spans,sea.kinds' 'snapshot.mode=initial_only' 'interval.handling.mode=string' \
  'time.precision.mode=isostring' 'hstore.handling.mode=map')
java -Xmx512m -Dlog4j2.configurationFile="$servers/log4j2.properties" -cp "$HYDRAULICS_CONNECT_CLASSPATH" org.apache.kafka.connect.cli.ConnectStandalone \
  "$work/worker.properties" "$plain" "$words" >"$work/worker.log" 2>&1 &
worker=$!
consume() { # TOPIC
  java -Xmx256m -Dlog4j2.configurationFile="$servers/log4j2.properties" -cp "$servers/lib/kafka-tools/*" org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$HYDRAULICS_KAFKA_BOOTSTRAP" \
    --topic "$1" --partition 0 --offset earliest --timeout-ms 60000 --formatter-property print.key=true --formatter-property print.partition=true --formatter-property print.offset=true 2>>"$work/console.log"
}
# The slot is active once the tables were read, and says what the connector has written.
waiting() { # QUERY
  until [ "$(sql -At -c "SELECT coalesce(($1 FROM pg_replication_slots WHERE slot_name = 'plain'), false)")" = t ]; do
    kill -0 "$worker" || { tail -40 "$work/worker.log" >&2; exit 1; }
    sleep 0.5
  done
}
waiting 'SELECT active'
while IFS= read -r statement; do
  case $statement in --*) ;; *) sql -c "$statement" ;; esac
done <"$to/changes.sql"
changed=$(sql -At -c 'SELECT pg_current_wal_lsn()')
sql -o /dev/null -c "SELECT pg_logical_emit_message(true, 'end', '')" # which the connector confirms, with all before it
waiting "SELECT confirmed_flush_lsn >= '$changed'"

topics=(plain.sea.{buoys,casts,kinds,spans,places} words.sea.{kinds,spans})
for topic in "${topics[@]}"; do consume "$topic" >"$work/$topic" & done
for job in $(jobs -p); do [ "$job" = "$worker" ] || wait "$job"; done
for topic in "${topics[@]}"; do
  grep '^Partition:' "$work/$topic" | sed "s/^/$topic\t/"
done >"$work/records.tsv"
gzip -9n <"$work/records.tsv" >"$to/records.tsv.gz"
for table in buoys casts kinds spans places; do
  sql -At -P null='<null>' -c "SELECT '$table', * FROM sea.$table ORDER BY 2, 3"
done >"$to/rows.txt"
cut -f 1 "$work/records.tsv" | uniq -c
