#!/usr/bin/env bash
# Makes every network that the engine claims to run, records ONNX Runtime's
# scores and compares ours with them:
#   agreement.sh FOLDER REPORT.md
# FOLDER keeps the networks (1 GB). Needs Python with the packages of
# examples/train-classifier/requirements.txt (PYTHON names one that has them, or
# an environment is made in FOLDER), and for PyTorch's networks Debian's
# python3-torch, python3-torchvision and python3-onnx (TORCH_PYTHON), or PyPI's,
# with which timm's networks are there too where timm is. Where
# qemu-aarch64-static is, the kernels of arm64 are compared too, emulated.
set -euo pipefail
mkdir -p "$1"
folder=$(realpath "$1") report=$(realpath -m "$2") here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
torch=${TORCH_PYTHON:-/usr/bin/python3}
python=${PYTHON:-}
if [ -z "$python" ]; then
  python=$folder/venv/bin/python
  [ -x "$python" ] || { python3 -m venv "$folder/venv" && "$python" -m pip install -q -r "$root/examples/train-classifier/requirements.txt"; }
fi
export TF_CPP_MIN_LOG_LEVEL=3
"$torch" -c 'import torch, torchvision, onnx' || { echo "agreement: $torch has no torch: apt install python3-torch python3-torchvision python3-onnx, or set TORCH_PYTHON" >&2; exit 1; }
"$torch" "$here/export_torch.py" "$folder"
"$python" "$here/agreement.py" "$folder"
"$python" "$here/agreement.py" "$folder" --score
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
scores after softmax. The bound is |dp| <= 1e-5, dp/p <= 1e-4 where p > 1e-6, and the same best class. Times are of one run on a machine that was
not idle: they say what is slow, not how fast it is. Norms, layer scales and biases are redrawn, so that each branch counts. `resnet18-external` has its weights in a second file, `-dynamic` an open batch, `-open` an open
size too, `-batchnorm` batch norms as nodes of their own, `flat` a view by the batch's size, groups, ceil mode and counted padding, `keras-mobilenetv2` alpha 0.5.
`int8-` networks are QDQ models by ONNX Runtime's quantize_static as it is (of DenseNet121 by `examples/train-classifier/quantise.py`), which the engine runs
in integers with avx512vnni and in float32 with the others; their bound is |dp| <= 1e-2, since a sum that falls
on the other side of a half changes an integer by one (ONNX Runtime's own scores move by up to 8e-3 with its optimisations).

TEXT
  "$python" "$here/agreement.py" "$folder" --versions
  echo "- $(go version), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(date -u +%Y-%m-%d), commit $(git describe --always --dirty --exclude '*')"
  echo "- outcome: $([ $status = 0 ] && echo all agree || echo NOT ALL AGREE)"
  echo
  cat "$folder/table-$(go env GOHOSTARCH).md"
  if [ -n "$emulated" ]; then
    printf '\n## arm64, emulated\n\nBy %s; times are those of the emulator and say nothing of a processor.\n`%s`\n\n' \
      "$(qemu-aarch64-static --version | sed -n '1s/.*version \([^ ]*\).*/qemu-aarch64-static \1/p')" "$emulated"
    sed -E 's/ (portable|neon) \|/ \1 (emulated) |/' "$folder/table-arm64.md"
  fi
} >"$report"
exit $status
