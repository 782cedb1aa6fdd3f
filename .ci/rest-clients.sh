#!/usr/bin/env bash
# Installs published clients of Kafka Connect's REST API, and what fuzzes it by its
# OpenAPI document, into a folder: rest-clients.sh DIR. It prints the folder as the
# variable of the environment that their test reads. Needs Python 3.10 and Node.js;
# as root what is missing is installed with apt-get.
set -euo pipefail
mkdir -p "$1"
dir=$(cd "$1" && pwd)
if ! { python3 -c 'import ensurepip, venv' && npm --version; } >/dev/null 2>&1; then
  [ "$(id -u)" = 0 ] || { echo 'rest-clients.sh: install Python 3.10 with venv, and Node.js with npm' >&2; exit 1; }
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q python3-venv npm; } >&2
fi
[ -x "$dir/venv/bin/pip" ] || python3 -m venv "$dir/venv" >&2
"$dir/venv/bin/pip" install -q --disable-pip-version-check kafka-connect-py==1.0.0 schemathesis==4.32.5 >&2
npm install --prefix "$dir" --no-audit --no-fund --silent kafka-connect-client@2.3.0 >&2
echo "HYDRAULICS_REST_CLIENTS=$dir"
