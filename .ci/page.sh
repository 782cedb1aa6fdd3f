#!/usr/bin/env bash
# Bundles the page into runtime/page/static. With "check" it does so twice, elsewhere,
# and compares both with what is there; with "axe FILE" it fetches axe-core, which tests
# want, and prints where it is. It wants the npm registry.
set -euo pipefail
if [ "${1:-}" = axe ]; then
  file=$(realpath -m "$2")
fi
cd "$(dirname "$0")/../runtime/page/web"
if [ "${1:-}" = axe ]; then
  mkdir -p "$(dirname "$file")"
  go run . -cat axe-core/axe.min.js > "$file"
  echo "$file"
  exit
fi
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
