#!/usr/bin/env bash
# Fetches promtool, which tests the alert rules, into a folder: promtool.sh DIR. It
# prints the program as the variable of the environment that its test reads. One
# that is installed is taken as it is; else it comes out of Debian's package, of
# which nothing is installed.
set -euo pipefail
mkdir -p "$1"
dir=$(cd "$1" && pwd)
promtool=$(command -v promtool || echo "$dir/usr/bin/promtool")
if ! [ -x "$promtool" ]; then
  cd "$dir"
  { apt-get download -q prometheus || { apt-get update -q && apt-get download -q prometheus; }; } >&2
  dpkg-deb --extract prometheus_*.deb "$dir"
fi
echo "HYDRAULICS_PROMTOOL=$promtool"
