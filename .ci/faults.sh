#!/usr/bin/env bash
# Starts the real servers and has everything that may happen to a cluster, and to the
# database of a sink, happen: each fault ROUNDS times, a cluster's then at random for SOAK.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/with-servers.sh
export HYDRAULICS_BINARY=$PWD/bin/hydraulics HYDRAULICS_FAULTS_ROUNDS=${ROUNDS:-5} HYDRAULICS_FAULTS_SOAK=${SOAK:-20m} HYDRAULICS_OUTAGE=${HYDRAULICS_OUTAGE:-60s}
go test -tags integration -count=1 -timeout 3h -v -run '^(TestDataFaults|TestFaults|TestSoak)$' ./internal/test/integration | { grep --line-buffered -v '^=== ' || true; }
