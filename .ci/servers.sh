#!/usr/bin/env bash
# Starts and stops the real servers that `make integration` runs against: Apache
# Kafka (KRaft, one node) with a listener for logins, Kerberos for it, a schema
# registry (Apicurio, Confluent's API), PostgreSQL and PgBouncer before it, all on
# 127.0.0.1, from public packages, data below DIR.
#
# Java's Kafka Connect, with the plugins of a test that takes its folder over, is
# fetched and not started.
#
#   servers.sh start DIR         prints NAME=value lines for the tests' environment
#   servers.sh start-kafka DIR   Kafka and Kerberos alone, and fetches Connect
#   servers.sh start-postgres DIR   PostgreSQL alone
#   servers.sh start-older DIR VERSION   starts a broker of a version before 4, and
#                                        prints where: one at a time, always empty
#   servers.sh stop-older DIR
#   servers.sh fetch-debezium DIR   fetches Debezium's connector and Kafka's console, and prints the
#                               connector's folder
#   servers.sh stop DIR          ends all of them
#
# Needs a JDK 17 and Maven for Kafka and registry and Debian's krb5-kdc,
# krb5-admin-server, postgresql and pgbouncer for the others; as root what is missing
# is installed with apt-get.
set -euo pipefail
KAFKA=4.3.1 LOG4J=2.25.4 APICURIO=3.0.9 APICURIO_CONVERTER=2.6.8.Final DEBEZIUM=3.2.0.Final PGJDBC=42.7.8
command=${1:?start, start-kafka, start-postgres, start-older, stop-older, fetch-debezium or stop}
mkdir -p "${2:?a folder}"
dir=$(cd "$2" && pwd)
kafka_port=${KAFKA_PORT:-29092} registry_port=${REGISTRY_PORT:-28081} postgres_port=${POSTGRES_PORT:-25432} pooler_port=${POOLER_PORT:-26432}
pooler_conf=/tmp/hydraulics-integration-pgbouncer-$pooler_port.ini

install() { # PROGRAM PACKAGE
  command -v "$1" >/dev/null && return
  [ "$(id -u)" = 0 ] || { echo "$1 is missing: install $2" >&2; exit 1; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$2" >&2 || { apt-get update -q >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$2" >&2; }
}

# jars SET GROUP:ARTIFACT:VERSION...  fetches artifacts and what they need into DIR/lib/SET
jars() {
  local to=$dir/lib/$1; shift
  [ "$(cat "$to/.complete" 2>/dev/null)" = "$*" ] && return
  mkdir -p "$to"
  {
    echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>'
    local g a v artifact
    for artifact in "$@"; do
      IFS=: read -r g a v <<<"$artifact"
      echo "<dependency><groupId>$g</groupId><artifactId>$a</artifactId><version>$v</version></dependency>"
    done
    echo '</dependencies></project>'
  } >"$to/pom.xml"
  mvn -q -B -Dstyle.color=never -f "$to/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$to" >&2
  echo "$*" >"$to/.complete"
}

# daemon NAME COMMAND...  runs it detached, its output in DIR/NAME.log
daemon() {
  local name=$1; shift
  setsid "$@" >"$dir/$name.log" 2>&1 </dev/null 3>&- &
  echo $! >"$dir/$name.pid"
}

# await NAME SECONDS TEST...
await() {
  local name=$1 until=$(($(date +%s) + $2)); shift 2
  until "$@" >/dev/null 2>&1; do
    if ! kill -0 "$(cat "$dir/$name.pid")" 2>/dev/null || [ "$(date +%s)" -ge "$until" ]; then
      tail -20 "$dir/$name.log" >&2; echo "$name did not start" >&2; exit 1
    fi
    sleep 0.2
  done
}

running() { [ -f "$dir/$1.pid" ] && kill -0 "$(cat "$dir/$1.pid")" 2>/dev/null; }
open_port() { (exec 3<>"/dev/tcp/127.0.0.1/$1"); }

# free VARIABLE PORT...  refuses ports that another program has: a server that cannot
# listen would not be missed, the tests would talk to that program.
free() {
  local variable=$1 port; shift
  for port in "$@"; do
    if open_port "$port" 2>/dev/null; then echo "127.0.0.1:$port is taken: set $variable to another port" >&2; exit 1; fi
  done
}

end() { # NAME
  running "$1" || return 0
  local pid; pid=$(cat "$dir/$1.pid")
  kill "$pid"
  for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
  rm -f "$dir/$1.pid"
}

log_conf() {
  printf '%s\n' 'status = error' 'appender.out.type = Console' 'appender.out.name = OUT' 'appender.out.layout.type = PatternLayout' \
    'appender.out.layout.pattern = [%d] %p %m (%c)%n' 'rootLogger.level = WARN' 'rootLogger.appenderRef.out.ref = OUT' >"$dir/log4j2.properties"
}

# kafka_stores makes the key store of Kafka's listener SECURE, and trust stores of both of
# Java's forms.
kafka_stores() {
  [ -f "$dir/kafka-trust.jks" ] && return
  keytool -genkeypair -alias broker -keyalg RSA -dname CN=broker -ext san=ip:127.0.0.1 -validity 3650 -storetype PKCS12 -keystore "$dir/kafka-key.p12" -storepass opensesame
  keytool -exportcert -rfc -alias broker -keystore "$dir/kafka-key.p12" -storepass opensesame >"$dir/kafka-trust.pem"
  local form
  for form in p12:PKCS12 jks:JKS; do
    keytool -importcert -noprompt -alias broker -file "$dir/kafka-trust.pem" -storetype "${form#*:}" -keystore "$dir/kafka-trust.${form%:*}" -storepass opensesame
  done
} 2>/dev/null # what keytool says of its defaults

# start_kerberos starts a key distribution centre, with the principals of the broker and
# of a client in key tables.
start_kerberos() {
  export KRB5_CONFIG=$dir/krb5.conf KRB5_KDC_PROFILE=$dir/kdc.conf
  running kerberos && return
  free KAFKA_PORT $((kafka_port + 3))
  install krb5kdc krb5-kdc; install kadmin.local krb5-admin-server
  printf '%s\n' '[libdefaults]' 'default_realm = SEA.EXAMPLE' 'dns_lookup_kdc = false' 'dns_lookup_realm = false' 'rdns = false' 'udp_preference_limit = 1' \
    '[realms]' 'SEA.EXAMPLE = {' "kdc = 127.0.0.1:$((kafka_port + 3))" '}' >"$KRB5_CONFIG"
  printf '%s\n' '[kdcdefaults]' "kdc_listen = 127.0.0.1:$((kafka_port + 3))" "kdc_tcp_listen = 127.0.0.1:$((kafka_port + 3))" \
    '[realms]' 'SEA.EXAMPLE = {' "database_name = $dir/kerberos" "key_stash_file = $dir/kerberos.stash" '}' >"$KRB5_KDC_PROFILE"
  if [ ! -f "$dir/buoy.keytab" ]; then
    rm -f "$dir"/kerberos* "$dir"/*.keytab
    { kdb5_util create -s -r SEA.EXAMPLE -P opensesame
      local name
      for name in broker:kafka/127.0.0.1 buoy:buoy; do
        kadmin.local -q "addprinc -randkey ${name#*:}"; kadmin.local -q "ktadd -k $dir/${name%%:*}.keytab ${name#*:}"
      done; } >"$dir/kerberos-init.log" 2>&1
  fi
  daemon kerberos krb5kdc -n
  await kerberos 30 open_port $((kafka_port + 3))
}

# alone is what a broker of any version needs that is the only one.
alone() {
  cat <<EOF
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
message.max.bytes=8388608
replica.fetch.max.bytes=8388608
EOF
}

# format_kafka LIB CONF DATA  makes the folder of a broker that has no ZooKeeper
format_kafka() {
  [ -f "$3/meta.properties" ] && return
  local id; id=$(java -cp "$1/*" kafka.tools.StorageTool random-uuid 2>/dev/null)
  java -cp "$1/*" kafka.tools.StorageTool format --standalone -t "$id" -c "$2" >"$dir/kafka-format.log" 2>&1 || { cat "$dir/kafka-format.log" >&2; exit 1; }
}

start_kafka() {
  running kafka && return
  free KAFKA_PORT "$kafka_port" $((kafka_port + 1)) $((kafka_port + 2)) $((kafka_port + 4))
  local lib=$dir/lib/kafka conf=$dir/kafka.properties
  jars kafka "org.apache.kafka:kafka_2.13:$KAFKA" "org.slf4j:slf4j-api:1.7.36" "org.apache.logging.log4j:log4j-slf4j-impl:$LOG4J"
  log_conf
  kafka_stores
  cat >"$conf" <<EOF
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$kafka_port,CONTROLLER://127.0.0.1:$((kafka_port + 1)),SECURE://127.0.0.1:$((kafka_port + 2)),LOGIN://127.0.0.1:$((kafka_port + 4))
advertised.listeners=PLAINTEXT://127.0.0.1:$kafka_port,CONTROLLER://127.0.0.1:$((kafka_port + 1)),SECURE://127.0.0.1:$((kafka_port + 2)),LOGIN://127.0.0.1:$((kafka_port + 4))
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:$((kafka_port + 1))
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL,LOGIN:SASL_PLAINTEXT
listener.name.secure.ssl.keystore.location=$dir/kafka-key.p12
listener.name.secure.ssl.keystore.type=PKCS12
listener.name.secure.ssl.keystore.password=opensesame
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER,GSSAPI
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_buoy="right";
listener.name.secure.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
listener.name.secure.gssapi.sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true keyTab="$dir/broker.keytab" principal="kafka/127.0.0.1@SEA.EXAMPLE";
listener.name.secure.sasl.kerberos.service.name=kafka
listener.name.login.sasl.enabled.mechanisms=PLAIN
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_worker="worker-secret";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:buoy
log.dirs=$dir/kafka
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
$(alone)
EOF
  format_kafka "$lib" "$conf" "$dir/kafka"
  daemon kafka java -Xms512M -Xmx1G -Djava.security.krb5.conf="$KRB5_CONFIG" -Dlog4j2.configurationFile="$dir/log4j2.properties" -cp "$lib/*" kafka.Kafka "$conf"
}

# start_older starts a broker of a version before 4, those before 3 with ZooKeeper.
start_older() { # VERSION
  local lib=$dir/lib/kafka-$1 conf=$dir/older.properties data=$dir/older port=$((kafka_port + 5)) other=$((kafka_port + 6))
  free KAFKA_PORT "$port" "$other"
  jars "kafka-$1" "org.apache.kafka:kafka_2.13:$1" "org.slf4j:slf4j-reload4j:1.7.36"
  rm -rf "$data"; mkdir "$data"
  printf '%s\n' 'log4j.rootLogger = WARN, OUT' 'log4j.appender.OUT = org.apache.log4j.ConsoleAppender' \
    'log4j.appender.OUT.layout = org.apache.log4j.PatternLayout' 'log4j.appender.OUT.layout.ConversionPattern = [%d] %p %m (%c)%n' >"$dir/log4j.properties"
  local program=(java -Xmx512M "-Dlog4j.configuration=file:$dir/log4j.properties" -cp "$lib/*")
  { alone; printf '%s\n' "log.dirs=$data/kafka" node.id=1 broker.id=1; } >"$conf"
  if [ "${1%%.*}" -lt 3 ]; then
    printf '%s\n' "dataDir=$data/zookeeper" clientPortAddress=127.0.0.1 "clientPort=$other" admin.enableServer=false >"$dir/zookeeper.properties"
    daemon zookeeper "${program[@]}" org.apache.zookeeper.server.quorum.QuorumPeerMain "$dir/zookeeper.properties"
    await zookeeper 90 open_port "$other"
    printf '%s\n' "listeners=PLAINTEXT://127.0.0.1:$port" "zookeeper.connect=127.0.0.1:$other" >>"$conf"
  else
    printf '%s\n' "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$other" "advertised.listeners=PLAINTEXT://127.0.0.1:$port" \
      process.roles=broker,controller controller.listener.names=CONTROLLER "controller.quorum.bootstrap.servers=127.0.0.1:$other" >>"$conf"
    format_kafka "$lib" "$conf" "$data/kafka"
  fi
  daemon older "${program[@]}" kafka.Kafka "$conf"
  await older 90 open_port "$port"
  echo "127.0.0.1:$port"
}

start_registry() {
  running registry && return
  free REGISTRY_PORT "$registry_port"
  local home=$dir/lib/apicurio
  if [ ! -f "$home/.complete" ]; then
    rm -rf "$home"; mkdir -p "$home"
    (cd "$home" && mvn -q -B -Dstyle.color=never dependency:get -Dartifact="io.apicurio:apicurio-registry-app:$APICURIO:tar.gz:all" -Dtransitive=false &&
      mvn -q -B -Dstyle.color=never dependency:copy -Dartifact="io.apicurio:apicurio-registry-app:$APICURIO:tar.gz:all" -DoutputDirectory="$home") >&2
    tar xzf "$home"/*.tar.gz -C "$home"; rm -f "$home"/*.tar.gz; touch "$home/.complete"
  fi
  local jar; jar=$(find "$home" -maxdepth 1 -name '*runner.jar' -o -maxdepth 1 -name quarkus-run.jar | head -1)
  QUARKUS_HTTP_HOST=127.0.0.1 QUARKUS_HTTP_PORT=$registry_port APICURIO_CCOMPAT_USE_CANONICAL_HASH=true \
    daemon registry java -Xmx512M -jar "$jar"
}

start_postgres() {
  if [ -z "$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null)" ]; then install postgres postgresql; fi
  local bin; bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
  local as=(); if [ "$(id -u)" = 0 ]; then as=(runuser -u postgres --); fi
  local data=${POSTGRES_DATA:-/tmp/hydraulics-integration-postgres-$postgres_port}
  echo "$data" >"$dir/postgres.data"
  cd /
  if [ "$("${as[@]}" "$bin/pg_ctl" -D "$data" status >/dev/null 2>&1; echo $?)" != 0 ]; then
    rm -rf "$data"; mkdir -p "$data"; if [ "$(id -u)" = 0 ]; then chown postgres: "$data"; fi
    "${as[@]}" "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --no-locale >/dev/null
    "${as[@]}" "$bin/pg_ctl" -D "$data" -w -l "$data/server.log" -o "-p $postgres_port -c listen_addresses=127.0.0.1 -c unix_socket_directories=" start >&2
  fi
  cd - >/dev/null
}

# start_pooler shares two connections among the transactions of a database. It
# does not run as root either.
start_pooler() {
  running pooler && return
  free POOLER_PORT "$pooler_port"
  install pgbouncer pgbouncer
  local as=(); if [ "$(id -u)" = 0 ]; then as=(runuser -u postgres --); fi
  local conf=$pooler_conf
  cat >"$conf" <<EOF
[databases]
* = host=127.0.0.1 port=$postgres_port user=postgres pool_size=2
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pooler_port
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 200
EOF
  chmod 644 "$conf"
  daemon pooler "${as[@]}" "$(command -v pgbouncer || echo /usr/sbin/pgbouncer)" "$conf"
}

# fetch_connect lays out Java's Kafka Connect and a folder of plugins. What a plugin
# shares with the worker comes from there: a second Jackson breaks Hibernate.
fetch_connect() {
  local plugins=$dir/plugins set
  jars connect "org.apache.kafka:connect-runtime:$KAFKA" "org.apache.kafka:connect-json:$KAFKA" "org.apache.kafka:connect-transforms:$KAFKA" \
    "org.apache.kafka:connect-mirror:$KAFKA" "org.slf4j:slf4j-api:1.7.36" "org.apache.logging.log4j:log4j-slf4j-impl:$LOG4J"
  jars connect-file "org.apache.kafka:connect-file:$KAFKA"
  jars debezium-jdbc "io.debezium:debezium-connector-jdbc:$DEBEZIUM" "org.postgresql:postgresql:$PGJDBC"
  jars apicurio-converter "io.apicurio:apicurio-registry-utils-converter:$APICURIO_CONVERTER"
  rm -rf "$plugins"
  for set in connect-file debezium-jdbc apicurio-converter; do
    mkdir -p "$plugins/$set"
    find "$dir/lib/$set" -name '*.jar' ! -name 'jackson-core-*' ! -name 'jackson-databind-*' ! -name 'jackson-annotations-*' \
      ! -name 'slf4j-api-*' ! -name 'connect-api-*' ! -name 'connect-json-*' ! -name 'kafka-clients-*' -exec ln -s {} "$plugins/$set/" \;
  done
}

stop_postgres() {
  [ -f "$dir/postgres.data" ] || return 0
  local bin data as=(); bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1); data=$(cat "$dir/postgres.data")
  if [ "$(id -u)" = 0 ]; then as=(runuser -u postgres --); fi
  (cd / && "${as[@]}" "$bin/pg_ctl" -D "$data" -m fast stop >&2) || true
  rm -rf "$data" "$dir/postgres.data"
}

start_everything() {
  start_registry; start_postgres; start_pooler
  await registry 120 curl -sf "http://127.0.0.1:$registry_port/apis/ccompat/v7/subjects"
  await pooler 30 open_port "$pooler_port"
  echo "HYDRAULICS_POOLER_ADDRESS=127.0.0.1:$pooler_port"
  echo "HYDRAULICS_REGISTRY_URL=http://127.0.0.1:$registry_port/apis/ccompat/v7"
  say_postgres
}

say_postgres() { echo "HYDRAULICS_POSTGRES_URL=postgres://postgres@127.0.0.1:$postgres_port/postgres?sslmode=disable"; }

case $command in
start | start-kafka)
  install javac openjdk-17-jdk-headless; install mvn maven; install curl curl
  start_kerberos; start_kafka
  if [ "$command" = start ]; then start_everything; fi
  fetch_connect
  await kafka 240 open_port "$kafka_port"
  echo "HYDRAULICS_KAFKA_BOOTSTRAP=127.0.0.1:$kafka_port"
  echo "HYDRAULICS_KAFKA_SECURE=127.0.0.1:$((kafka_port + 2))"
  echo "HYDRAULICS_KAFKA_STORES=$dir"
  echo "KRB5_CONFIG=$KRB5_CONFIG"
  echo "HYDRAULICS_KAFKA_LOGIN=127.0.0.1:$((kafka_port + 4))"
  echo "HYDRAULICS_KAFKA_CLASSPATH=$dir/lib/kafka/*"
  echo "HYDRAULICS_CONNECT_CLASSPATH=$dir/lib/connect/*"
  echo "HYDRAULICS_CONNECT_PLUGINS=$dir/plugins"
  ;;
start-postgres) start_postgres; say_postgres ;;
start-older) start_older "${3:?a version}" ;;
stop-older) end older; end zookeeper ;;
fetch-debezium)
  jars debezium/postgres "io.debezium:debezium-connector-postgres:$DEBEZIUM"
  jars kafka-tools "org.apache.kafka:kafka-tools:$KAFKA"
  echo "$dir/lib/debezium"
  ;;
stop) end older; end zookeeper; end kafka; end kerberos; end registry; end pooler; rm -f "$pooler_conf"; stop_postgres ;;
*) echo "start, start-kafka, start-postgres, start-older, stop-older, fetch-debezium or stop" >&2; exit 2 ;;
esac
