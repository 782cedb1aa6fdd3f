#!/usr/bin/env bash
# Starts the real servers, runs the tests of the tag integration, stops them. The
# package of the flow writes a line "passed: ..." for what it saw of each system. At
# the end comes the core again on older brokers: a producer, reading, groups, offsets
# and a flow whose worker is killed.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/with-servers.sh
clients=$(.ci/rest-clients.sh "$servers/rest-clients")
export "${clients?}"
promtool=$(.ci/promtool.sh "$servers/promtool")
export "${promtool?}"
export HYDRAULICS_BINARY=$PWD/bin/hydraulics
HYDRAULICS_AXE=$(.ci/page.sh axe "$servers/axe.js")
export HYDRAULICS_AXE
run() { go test -tags integration -count=1 -timeout 45m -p 1 ${INTEGRATION_ARGS:-} "$@"; }
run ./connectors/postgres/... ./converter/avro/... ./internal/embedded/... ./internal/kafka/... ./internal/pg/... \
  ./internal/postgrest/... ./internal/registry/... ./runtime/cluster/... ./runtime/herder/store/... ./runtime/rest/... \
  ./transforms/classify/...
run ./internal/test/alerts
(cd internal/test/deploy && go test -count=1 ./...)
.ci/page.sh check
run -v ./internal/test/integration/... | { grep --line-buffered -v '^=== ' || true; }
for version in 2.8.2 3.9.1; do
  HYDRAULICS_KAFKA_BOOTSTRAP=$(.ci/servers.sh start-older "$servers" "$version")
  export HYDRAULICS_KAFKA_BOOTSTRAP
  echo "Kafka $version:"
  run -run '^Test(ProducerOn|ProducerRefusedBy|ReadPartitionOn|MembersOfAnyKindOn)RealKafka$|^TestOffsetsDeletedMeanwhile$' ./internal/kafka
  run -run '^TestKilledWorker$/^real$' ./internal/test/integration
  .ci/servers.sh stop-older "$servers"
done
