"""Runs a network in ONNX Runtime on one thread, for the benchmark beside it.

    python ort.py MODEL.onnx

reads a count per line and answers with the seconds that so many runs took, by
the clock and of the processor. The first line it writes is the version.
"""

import sys
import time

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, ["CPUExecutionProvider"])
noise = np.random.default_rng(1)
feed = {}
for x in session.get_inputs():
    shape = [d if isinstance(d, int) else 1 for d in x.shape]
    feed[x.name] = noise.random(shape, np.float32)
print(onnxruntime.__version__, flush=True)
for line in sys.stdin:
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(int(line)):
        session.run(None, feed)
    print(time.perf_counter() - start, time.process_time() - cpu, flush=True)
