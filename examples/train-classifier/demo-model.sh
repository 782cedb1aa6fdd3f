#!/usr/bin/env bash
# Trains the demo's model from the simulator's synthetic classes:
#   demo-model.sh HYDRAULICS OUTPUT
# HYDRAULICS is the program, OUTPUT receives demo-plankton.onnx and its manifest.
# It is copied there when ONNX Runtime and the program give the same scores.
# Training, validation and test images come from different seeds.
set -euo pipefail
hydraulics=$(realpath "$1") output=$(realpath "$2") here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q -r "$here/requirements.txt"
  python=$work/venv/bin/python
fi
"$hydraulics" simulate images --out "$work/train" --per-class 400 --seed 1
"$hydraulics" simulate images --out "$work/valid" --per-class 100 --seed 2
"$hydraulics" simulate images --out "$work/test" --per-class 250 --seed 3
TF_CPP_MIN_LOG_LEVEL=3 "$python" "$here/train.py" "$work/model" "$work/train" "$work/valid" --test "$work/test" \
  --architecture small --name demo-plankton --batch_size 64 --epochs 16 --hydraulics "$hydraulics"
cp "$work/model/demo-plankton.onnx" "$work/model/demo-plankton.yaml" "$output/"
