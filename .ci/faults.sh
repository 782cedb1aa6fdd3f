#!/usr/bin/env bash
# Starts the real servers and has everything that may happen to a cluster happen to one:
# each fault ROUNDS times, then at random for SOAK.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/with-servers.sh
export HYDRAULICS_BINARY=$PWD/bin/hydraulics HYDRAULICS_FAULTS_ROUNDS=${ROUNDS:-5} HYDRAULICS_FAULTS_SOAK=${SOAK:-20m}
go test -tags integration -count=1 -timeout 3h -v -run '^(TestFaults|TestSoak)$' ./internal/test/integration | { grep --line-buffered -v '^=== ' || true; }
