#!/usr/bin/env bash
# Known vulnerabilities in what the module calls. It exits with 3 where there
# are some, with 75 where the database cannot be reached, so that nothing is
# known, and with 1 on another error. GOVULNDB names another database than
# https://vuln.go.dev.
set -uo pipefail
cd "$(dirname "$0")/.."
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
go tool govulncheck ${GOVULNDB:+-db "$GOVULNDB"} -test ./... 2>"$errors"
code=$?
cat "$errors" >&2
if [ "$code" = 1 ] && grep -q 'fetching vulnerabilities' "$errors"; then
  echo "the database of vulnerabilities cannot be reached: nothing is known; GOVULNDB names another one" >&2
  exit 75
fi
exit "$code"
