#!/usr/bin/env bash
# Starts model servers (KServe, TensorFlow Serving's formats over TensorFlow's
# kernels, and Triton), runs the tests against them, stops them. The first run
# installs about 2.4 GB of Python packages below .cache/serving. SERVING_UP is the
# script that starts the first two; SERVING_VENV a Python environment that has their
# packages already.
set -euo pipefail
cd "$(dirname "$0")/.."
up=${SERVING_UP:-../shared/peers/serving-up.sh}
[ -x "$up" ] || { echo "$up is not there: set SERVING_UP to a script that starts model servers" >&2; exit 1; }
mkdir -p .cache/serving
dir=$PWD/.cache/serving
export SERVING_TFS=1 PEERS_DIR=$dir SERVING_VENV=${SERVING_VENV:-$dir/venv} TF_CPP_MIN_LOG_LEVEL=3
trap '"$up" stop "$dir/data"; "$up" stop "$dir/next"; .ci/triton.sh stop "$dir/triton"' EXIT
port=${SERVING_PORT:-18701}
"$up" start "$dir/data" "$port"
# These servers read the version of a model once: the next one has servers of its own.
mkdir -p "$dir/next/model"
[ -d "$dir/next/model/2" ] || cp -r "$dir/data/trivial-savedmodel/1" "$dir/next/model/2"
SERVING_SAVEDMODEL=$dir/next/model "$up" start "$dir/next" $((port + 10))
triton=$(.ci/triton.sh start "$dir/triton" $((port + 20)))
HYDRAULICS_SERVING="$(cat "$dir/data/urls") $triton" HYDRAULICS_SERVING_NEXT=$(cat "$dir/next/urls")
export HYDRAULICS_SERVING HYDRAULICS_SERVING_NEXT HYDRAULICS_SERVING_PYTHON=$SERVING_VENV/bin/python
tfs=${HYDRAULICS_SERVING#* tfs=}
HYDRAULICS_MODEL_SERVER=${tfs%% *}/v1/models/ifcb-densenet go test -tags integration -count=1 -v -run TestModelServer ./transforms/classify
go test -tags integration -count=1 -v -run TestServing ./internal/infer/model | { grep --line-buffered -v '^=== ' || true; }
