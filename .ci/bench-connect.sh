#!/usr/bin/env bash
# Starts Apache Kafka, and PostgreSQL for -data, fetches Java's Kafka Connect, and
# measures hydraulics beside it. Arguments go to the program that measures:
# internal/test/bench/connect.
set -euo pipefail
cd "$(dirname "$0")/.."
servers=${SERVERS:-.cache/servers}
mkdir -p "$servers"
servers=$(cd "$servers" && pwd)
trap '.ci/servers.sh stop "$servers"' EXIT
environment=$(.ci/servers.sh start-kafka "$servers")
if [ "${1-}" = -data ]; then environment+=$'\n'$(.ci/servers.sh start-postgres "$servers"); fi
while IFS= read -r line; do
  if [[ $line == *HYDRAULICS_* ]]; then export "HYDRAULICS_${line#*HYDRAULICS_}"; fi
done <<<"$environment"
go run ./internal/test/bench/connect "$@"
