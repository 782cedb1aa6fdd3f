#!/usr/bin/env bash
# Bundles the page into runtime/page/static. With "check" it does so twice, elsewhere,
# and compares both with what is there. It wants the npm registry.
set -euo pipefail
cd "$(dirname "$0")/../runtime/page/web"
if [ "${1:-}" != check ]; then
  exec go run .
fi
go vet .
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for n in 1 2; do
  go run . "$work/$n"
  diff -r "$work/$n" ../static || { echo 'the page is not what make page makes of its sources' >&2; exit 1; }
done
echo 'passed: page: bundled twice, and as committed'
