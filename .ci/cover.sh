#!/usr/bin/env bash
# The statements that each package's own tests reach in a plain clone, without
# anything that a variable HYDRAULICS_... names:
#
#   .ci/cover.sh [PACKAGES]
#
# It fails where one of the packages with a floor is below it.
set -euo pipefail
cd "$(dirname "$0")/.."
floor=90
floored='connector runtime runtime/herder'
for name in $(compgen -e HYDRAULICS_ || true); do unset "$name"; done
profile=$(mktemp)
trap 'rm -f "$profile"' EXIT
go test -timeout 30m -covermode set -coverprofile "$profile" "${@:-./...}"

# A line of the profile: MODULE/FOLDER/FILE.go:FROM,TO STATEMENTS TIMES.
awk -v module="$(go list -m)/" -v floor="$floor" -v floored="$floored" '
  function share(package) { return 100 * reached[package] / all[package] }
  function print_share(package, what) { printf "%-16s %5.1f %%  %d of %d statements%s\n", package, share(package), reached[package], all[package], what }
  FNR > 1 {
    package = substr($1, length(module) + 1)
    sub("/[^/]*$", "", package)
    all[package] += $2; all["total"] += $2
    if ($3 > 0) { reached[package] += $2; reached["total"] += $2 }
  }
  END {
    n = split(floored, names, " ")
    for (i = 1; i <= n; i++) {
      if (!(names[i] in all)) continue
      low = share(names[i]) < floor
      bad += low
      print_share(names[i], low ? ", below its floor of " floor " %" : "")
    }
    print_share("total", "")
    exit bad > 0
  }' "$profile"
