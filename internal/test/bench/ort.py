"""Runs a network on one thread, for the benchmark beside it: in ONNX Runtime, or with
a second argument openvino in OpenVINO, in float32.

    python ort.py MODEL.onnx [openvino]

reads a count per line and answers with the seconds that so many runs took, by
the clock and of the processor. The first line it writes is the engine's version.
"""

import sys
import time

import numpy as np


def onnx_runtime(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    feed = {x.name: pixels([d if isinstance(d, int) else 1 for d in x.shape]) for x in session.get_inputs()}
    return f"ONNX Runtime {onnxruntime.__version__}", lambda: session.run(None, feed)


def openvino(path):
    import openvino

    model = openvino.Core().read_model(path)
    shapes = {x: [d.get_length() if d.is_static else 1 for d in x.partial_shape] for x in model.inputs}
    model.reshape(shapes)
    hints = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(model, "CPU", hints).create_infer_request()
    feed = {i: pixels(shape) for i, shape in enumerate(shapes.values())}
    return f"OpenVINO {openvino.__version__}", lambda: request.infer(feed)


def pixels(shape):
    return np.random.default_rng(1).random(shape, np.float32)


version, run = (openvino if sys.argv[2:] == ["openvino"] else onnx_runtime)(sys.argv[1])
print(version, flush=True)
for line in sys.stdin:
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(int(line)):
        run()
    print(time.perf_counter() - start, time.process_time() - cpu, flush=True)
