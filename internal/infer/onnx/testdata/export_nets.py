"""Exports networks as Keras 3 and tf2onnx do, without their weights, and records
what ONNX Runtime says of them with weights from weights.py.

    python export_nets.py [NAME...]
    python export_nets.py --strip MODEL.onnx NAME
    python export_nets.py --file MODEL.onnx OUT.json

writes nets/NAME.onnx (the graph) and nets/NAME.json (the scores), for all
networks below or those named. With --strip it does so for a file of another
exporter; nets/torch-resnet18 is made so of `export_torch.py FOLDER resnet18-64`.
With --file it records the scores of a model as
it is, weights and all; nets/demo-plankton.json is made so of the model in
configs/demo. Packages and versions are in examples/train-classifier/requirements.txt.
"""

import hashlib
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx

import keras_nets
import weights

HERE = os.path.dirname(os.path.abspath(__file__))
# The networks and the size of their input; small where that is enough to meet
# every kind of layer.
NETS = {
    "DenseNet121": 224,
    "MobileNetV2": 96,
    "MobileNetV3Small": 96,
    "EfficientNetB0": 96,
    "ResNet50V2": 64,
    "Xception": 71,
    "InceptionV3": 75,
}


def export(name):
    """A network with random batch norms: fresh ones (gamma 1, beta 0) would be folded to nothing."""
    keras.utils.set_random_seed(1)
    net = keras_nets.build(name, NETS[name])
    noise = np.random.default_rng(1)
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([noise.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return convert(net, NETS[name])


def convert(net, size):
    """What tf2onnx makes of a network."""
    spec = [tf.TensorSpec((None, size, size, 3), tf.float32, name="input")]
    call = tf.function(lambda x: net(x, training=False), input_signature=spec)
    model, _ = tf2onnx.convert.from_function(call, input_signature=spec, opset=15)
    return model


def run(data, key, lo, hi):
    """What ONNX Runtime makes of one input of the generator."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
    used = {i for node in onnx.load_from_string(data).graph.node for i in node.input}
    feed = {}
    for x in session.get_inputs():
        shape = [d if isinstance(d, int) else 1 for d in x.shape]
        if x.name in used:
            pixels = weights.uniform(key, int(np.prod(shape)), lo, hi)  # height, width, channels
            if len(shape) == 4 and shape[1] == 3:
                pixels = np.ascontiguousarray(pixels.reshape(1, *shape[2:], 3).transpose(0, 3, 1, 2))
            feed[x.name] = pixels.reshape(shape)
        else:  # some exports list inputs that nothing reads
            feed[x.name] = np.zeros(shape, np.float32)
    return session.run(None, feed)[0]


def calibrate(model, name, high):
    """Bounds the last layer's weights so that the scores before the softmax, or
    the output where there is none, spread by about 1.5: scores of 0 and 1 would hide differences."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    weights.fill(probe)
    by_output = {o: n for n in model.graph.node for o in n.output}
    node = by_output[model.graph.output[0].name]
    if node.op_type == "Softmax":
        probe.graph.output[0].name = node.input[0]
        node = by_output[node.input[0]]
    spread = float(run(probe.SerializeToString(), f"{name}/input0", 0.0, high).std())
    while node.op_type not in ("MatMul", "Conv", "Gemm"):
        node = by_output[node.input[0]]
    for init in model.graph.initializer:
        if init.name == node.input[1]:
            limit = float(f"{float(init.doc_string.split()[-1]) * 1.5 / spread:.6g}")
            init.doc_string = f"fill uniform {-limit!r} {limit!r}"


def record(name, data, high=1.0):
    """Runs a model on two inputs of the generator and keeps the scores."""
    cases = []
    for i, (lo, hi) in enumerate([(0.0, high), (0.6 * high, 0.7 * high)]):
        key = f"{name}/input{i}"
        scores = run(data, key, lo, hi)
        cases.append({"input": key, "lo": lo, "hi": hi, "scores": [float(str(s)) for s in scores[0]]})
        print(key, "top", int(scores[0].argmax()), float(scores[0].max()))
    return cases


def write(path, data, cases):
    doc = {
        "made_by": f"export_nets.py: keras {keras.__version__}, tensorflow {tf.__version__}, "
        f"tf2onnx {tf2onnx.__version__}, onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, numpy {np.__version__}",
        "sha256": hashlib.sha256(data).hexdigest(),
        "cases": cases,
    }
    with open(path, "w") as f:
        json.dump(doc, f, indent=1)
        f.write("\n")


def keep(folder, name, model, high):
    """Writes a network's graph and scores."""
    calibrate(weights.strip(model), name, high)
    data = model.SerializeToString()
    with open(os.path.join(folder, name + ".onnx"), "wb") as f:
        f.write(data)
    print(name, len(data), "bytes without weights")
    write(os.path.join(folder, name + ".json"), data, record(name, weights.fill(model).SerializeToString(), high))


def main():
    folder = os.path.join(HERE, "nets")
    os.makedirs(folder, exist_ok=True)
    if sys.argv[1:2] == ["--file"]:
        with open(sys.argv[2], "rb") as f:
            data = f.read()
        write(sys.argv[3], data, record(os.path.basename(sys.argv[2]).removesuffix(".onnx"), data))
        return
    if sys.argv[1:2] == ["--strip"]:
        keep(folder, sys.argv[3], onnx.load(sys.argv[2]), 1.0)
        return
    for name in sys.argv[1:] or NETS:
        keep(folder, name.lower(), export(name), keras_nets.high(name))


if __name__ == "__main__":
    main()
