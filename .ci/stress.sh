#!/usr/bin/env bash
# The tests with clocks or processes, many times over beside processes that take
# the processor from them:
#
#   .ci/stress.sh [RUNS [PACKAGE...]]
#
# It prints a line per package, and the output of the first failure of each. Two
# packages run at once. It wants stress-ng (Debian: apt install stress-ng).
set -uo pipefail
cd "$(dirname "$0")/.."
runs=${1:-50}
packages=${*:2}
command -v stress-ng >/dev/null || { echo 'stress-ng is not here: apt install stress-ng' >&2; exit 1; }

# PACKAGE and the tests of it that wait for a clock or for another process.
list='
runtime                     Outage|Stall|Killed|Position|BrokenOff|Stop|HandOver|Watch|Limit|GivesItsPartitionsUp|Retrying|Committed
runtime/herder              .
internal/kafka              DoesNotAnswer|Trouble|Faults|ComesBack|Gone|TakesOver|Producer|Lag|Generation|TooLarge|Large
internal/httpd              .
internal/postgrest          NeverAnswers|Outage|GoesAway|BrokenOff|SlowClient
connectors/file             .
connectors/rest             .
connectors/ifcb             Incomplete|Redirects|Login|Grows|Silent|Once|Resumes
connectors/postgres         NeverAnswers|Primary|GoesAndComesBack|Outage
cmd/hydraulics              Swap|ReadAPI|Datasets|LosesABin
'
work=$(mktemp -d)
stress-ng --cpu 4 --quiet & stress=$!
trap 'kill $stress; rm -rf "$work"' EXIT

run() { # PACKAGE PATTERN: its tests RUNS times, until one fails
  local binary=$work/${1//\//_} begun=$SECONDS
  go test -c -o "$binary.test" "./$1" || return 1
  for n in $(seq "$runs"); do
    if ! (cd "$1" && "$binary.test" -test.short -test.timeout 30m -test.run "$2" -test.v) >"$binary.log" 2>&1; then
      echo "$1: run $n of $runs failed"
      grep -v '^=== ' "$binary.log" | grep -B2 -A40 -E -- '^ *--- FAIL|^panic|^FAIL|^goleak' | head -80
      return 1
    fi
  done
  printf '%-22s %3d tests, %d runs: passed (%d s)\n' "$1" "$(grep -c '^--- PASS' "$binary.log")" "$runs" $((SECONDS - begun))
}

failed=0
while read -r package pattern; do
  [ -n "$package" ] || continue
  [ -z "$packages" ] || [[ " $packages " == *" $package "* ]] || continue
  while [ "$(jobs -rp | grep -cv "^$stress$")" -ge 2 ]; do sleep 1; done
  run "$package" "$pattern" &
  started="${started:-} $!"
done <<<"$list"
for pid in ${started:-}; do wait "$pid" || failed=1; done
exit $failed
