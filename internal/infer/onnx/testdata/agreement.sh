#!/usr/bin/env bash
# Makes every network that the engine claims to run, records ONNX Runtime's
# scores and compares ours with them:
#   agreement.sh FOLDER REPORT.md
# FOLDER keeps the networks (8 GB). Needs Python with the packages of
# examples/train-classifier/requirements.txt (PYTHON names one that has them, or
# an environment is made in FOLDER), and for PyTorch's networks one with those of
# requirements.txt beside this script and Ultralytics (TORCH_PYTHON, or another
# environment is made). Networks that are in FOLDER are not made again. What REPORT.md
# says of earlier runs, with other processors, stays there. Where qemu-aarch64-static
# is, the kernels of arm64 are compared too, emulated.
set -euo pipefail
mkdir -p "$1"
folder=$(realpath "$1") report=$(realpath -m "$2") here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
earlier=$(sed -n '/^## Earlier runs/,$p' "$report" 2>/dev/null || true)
python=${PYTHON:-} torch=${TORCH_PYTHON:-}
if [ -z "$python" ]; then
  python=$folder/venv/bin/python
  [ -x "$python" ] || { python3 -m venv "$folder/venv" && "$python" -m pip install -q -r "$root/examples/train-classifier/requirements.txt"; }
fi
if [ -z "$torch" ]; then
  torch=$folder/torch/bin/python
  [ -x "$torch" ] || { python3 -m venv "$folder/torch" && "$torch" -m pip install -q -r "$here/requirements.txt" &&
    "$torch" -m pip install -q --no-deps ultralytics==8.4.190 ultralytics-thop==2.2.3; }
fi
export TF_CPP_MIN_LOG_LEVEL=3
"$torch" "$here/export_torch.py" "$folder"
KERAS_BACKEND=torch "$torch" "$here/keras_nets.py" "$folder"
"$python" "$here/agreement.py" "$folder"
"$python" "$here/agreement.py" "$folder" --score
"$torch" "$here/exact.py" "$folder"
cd "$root"
status=0
HYDRAULICS_AGREEMENT=$folder go test -count=1 -timeout 60m -run '^TestAgreement$' ./internal/infer/onnx || status=$?
emulated=
if command -v qemu-aarch64-static >/dev/null; then
  emulated="HYDRAULICS_AGREEMENT=\$PWD/.cache/agreement GOARCH=arm64 CGO_ENABLED=0 go test -exec qemu-aarch64-static -run '^TestAgreement\$' -timeout 4h ./internal/infer/onnx"
  HYDRAULICS_AGREEMENT=$folder GOARCH=arm64 CGO_ENABLED=0 go test -count=1 -timeout 4h -exec qemu-aarch64-static -run '^TestAgreement$' ./internal/infer/onnx || status=$?
fi
{
  cat <<'TEXT'
# Agreement with ONNX Runtime

Written by `make agreement`: every network that the engine claims to run, made by its exporter with random weights and batch norms, on two inputs;
scores after softmax. The bound is |dp| <= 1e-5, dp/p <= 1e-4 where p > 1e-6, and the same best class; where the roundings of float32 leave more open
than that, as much as they do (below). Times are of one run on a machine that was not idle: they say what is slow, not how fast it is. Norms, layer scales and
biases are redrawn, so that each block counts: `blocks` are those of a network and `least` the largest change of a score, on the first input, without the one
that counts least (`blocks.py`); it must be more than 1e-3.
`-dynamo` networks are exported by torch.export, the other ones of PyTorch by TorchScript; `keras-own` by Keras itself with PyTorch behind it, Keras's
others by tf2onnx. `resnet18-external` has its weights in a second file, `-dynamic` an open batch, `-open` an open size too, `-batchnorm` batch norms
as nodes of their own, `flat` a view by the batch's size, groups, ceil mode and counted padding, `keras-mobilenetv2` alpha 0.5. `int8-` networks are
QDQ models by ONNX Runtime's quantize_static as it is (of DenseNet121 by `examples/train-classifier/quantise.py`), which the engine runs in integers
with avx512vnni and in float32 with the others.

Engines add in different orders and fold norms into what is beside them, and each rounding moves a sum. A norm that divides by a small deviation, logits that
are far apart and a quantisation at a half make much of that: so much that ONNX Runtime itself is further off the exact scores of some of these networks than the
bound. How far apart two engines can rightly be is measured for each image: 32 runs of ONNX Runtime (8 where these come nowhere near the bound), in which each
sum is moved by a random part of the error that the order of its additions gives it, and each weight of a convolution, sum or factor by one of its rounding
(`roundings.py`); `open` is the largest difference of a score between two of them, or of one and the scores as they are. Where that is more than the bound, it
is the bound, and the second table has both engines beside the scores in float64 by ONNX's reference implementation (`exact.py`), of which each must be within
it too. Of int8 networks it can be wide: some turn on one sum at a half, and agree then in little but the best class. Of a few of ResNet50's and InceptionV3's
the second image tells nothing: one score is 1 there and all others are below 1e-6.

TEXT
  "$python" "$here/agreement.py" "$folder" --versions
  echo "- $(go version), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(date -u +%Y-%m-%d), commit $(git describe --always --dirty --exclude '*')"
  echo "- vector instructions of this processor: $(grep -m1 '^flags' /proc/cpuinfo | tr ' ' '\n' | grep -xE 'avx2|fma|avx512f|avx512_vnni|amx_tile' | tr '\n' ' ')"
  echo "- outcome: $([ $status = 0 ] && echo all agree || echo NOT ALL AGREE)"
  echo
  cat "$folder/table-$(go env GOHOSTARCH).md"
  printf '\n## Where roundings leave more open than the bound\n\n'
  cat "$folder/exact-$(go env GOHOSTARCH).md"
  if [ -n "$emulated" ]; then
    printf '\n## arm64, emulated\n\nBy %s; times are those of the emulator and say nothing of a processor.\n`%s`\n\n' \
      "$(qemu-aarch64-static --version | sed -n '1s/.*version \([^ ]*\).*/qemu-aarch64-static \1/p')" "$emulated"
    sed -E 's/ (portable|neon) \|/ \1 (emulated) |/' "$folder/table-arm64.md"
  fi
  [ -z "$earlier" ] || printf '\n%s\n' "$earlier"
} >"$report"
exit $status
