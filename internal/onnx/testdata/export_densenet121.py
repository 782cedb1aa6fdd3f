"""Exports DenseNet121 as Keras 3 and tf2onnx do, without its weights, and records
what ONNX Runtime says of it with weights from weights.py.

    python export_densenet121.py

writes nets/densenet121.onnx (the graph) and nets/densenet121.json (the scores).
The packages and versions are in examples/train-classifier/requirements.txt.
"""

import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx

import weights

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = 50
SIZE = 224


def export():
    keras.utils.set_random_seed(1)
    net = keras.applications.DenseNet121(weights=None, classes=CLASSES)
    # Fresh batch norms (gamma 1, beta 0) would be folded to nothing here.
    noise = np.random.default_rng(1)
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([noise.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    spec = [tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32, name="input")]
    call = tf.function(lambda x: net(x, training=False), input_signature=spec)
    model, _ = tf2onnx.convert.from_function(call, input_signature=spec, opset=15)
    return model


def record(name, model):
    """Runs the filled model on two inputs of the generator and keeps the scores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    cases = []
    for i, (lo, hi) in enumerate([(0.0, 1.0), (0.6, 0.7)]):
        key = f"{name}/input{i}"
        x = weights.uniform(key, SIZE * SIZE * 3, lo, hi).reshape(1, SIZE, SIZE, 3)
        (scores,) = session.run(None, {session.get_inputs()[0].name: x})
        cases.append({"input": key, "lo": lo, "hi": hi, "scores": [float(str(s)) for s in scores[0]]})
        print(key, "top", int(scores[0].argmax()), float(scores[0].max()))
    return cases


def main():
    model = weights.strip(export())
    data = model.SerializeToString()
    os.makedirs(os.path.join(HERE, "nets"), exist_ok=True)
    with open(os.path.join(HERE, "nets", "densenet121.onnx"), "wb") as f:
        f.write(data)
    print(len(data), "bytes without weights")
    doc = {
        "made_by": f"export_densenet121.py: keras {keras.__version__}, tensorflow {tf.__version__}, "
        f"tf2onnx {tf2onnx.__version__}, onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, numpy {np.__version__}",
        "cases": record("densenet121", weights.fill(model)),
    }
    with open(os.path.join(HERE, "nets", "densenet121.json"), "w") as f:
        json.dump(doc, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
