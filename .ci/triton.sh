#!/usr/bin/env bash
# Starts NVIDIA's Triton Inference Server, which the package nvidia-pytriton brings
# (it runs on CPUs too, and has the Python backend alone), on 127.0.0.1:
#   triton.sh start DIR PORT   installs it below DIR at first (0.4 GB); prints its
#                              addresses. REST is on PORT, gRPC on PORT+1. It serves
#                              versions 1 and 3 of a trivial model from DIR/models,
#                              which it looks through once a second.
#   triton.sh stop DIR
set -euo pipefail
cd "$(dirname "$0")/.."
case $1 in
stop)
  [ -s "$2/pid" ] || exit 0
  pid=$(cat "$2/pid")
  if grep -qs tritonserver "/proc/$pid/comm"; then
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  fi
  rm "$2/pid"
  exit
  ;;
esac
dir=$2 port=$3
[ -x "$dir/venv/bin/pip" ] || python3 -m venv "$dir/venv"
"$dir/venv/bin/python" -c 'import pytriton' 2>/dev/null || "$dir/venv/bin/pip" install -q nvidia-pytriton==0.7.0
packages=$("$dir/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
version=$("$dir/venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
triton=$packages/pytriton/tritonserver
rm -rf "$dir/models" "$dir/backends"
mkdir -p "$dir/models/ifcb-densenet"/{1,3} "$dir/backends"
cp internal/infer/model/testdata/triton/config.pbtxt "$dir/models/ifcb-densenet/"
for v in 1 3; do cp internal/infer/model/testdata/triton/model.py "$dir/models/ifcb-densenet/$v/"; done
cp -r "$triton/backends/python" "$dir/backends/"
cp "$triton/python_backend_stubs/$version/triton_python_backend_stub" "$dir/backends/python/"
LD_LIBRARY_PATH=$packages/nvidia_pytriton.libs PATH=$dir/venv/bin:$PATH setsid "$triton/bin/tritonserver" \
  --model-repository="$dir/models" --backend-directory="$dir/backends" --model-control-mode=poll --repository-poll-secs=1 \
  --http-address=127.0.0.1 --http-port="$port" --grpc-address=127.0.0.1 --grpc-port=$((port + 1)) --allow-metrics=false \
  >"$dir/log" 2>&1 </dev/null &
echo $! >"$dir/pid"
for _ in $(seq 120); do
  if curl -sf "http://127.0.0.1:$port/v2/models/ifcb-densenet/versions/3/ready"; then
    echo "triton=http://127.0.0.1:$port triton-grpc=127.0.0.1:$((port + 1)) triton-models=$dir/models"
    exit
  fi
  kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
  sleep 1
done
tail -20 "$dir/log" >&2
echo "Triton did not start: the lines above are the end of $dir/log" >&2
exit 1
