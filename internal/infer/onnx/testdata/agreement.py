"""Makes all the networks that hydraulics claims to run and records what ONNX
Runtime says of them, for the test TestAgreement.

    python agreement.py FOLDER [NAME...]    Keras's, exported by tf2onnx
    python agreement.py FOLDER --score [NAME...]    the scores of all files in FOLDER, or those named, without them
    python agreement.py FOLDER --versions   what made them, as a list in Markdown

The networks of PyTorch are made by export_torch.py beside it, with another
Python, and those of Keras's own export by keras_nets.py. FOLDER receives NAME.onnx,
weights and all, and NAME.json. Weights are random, batch norms have the statistics of
a batch, and the last layer's weights are such that scores spread. NAME.json says which
block counts least (blocks.py), and how far the network's roundings leave the scores open
(roundings.py). What is there already is not made again.
"""

import glob
import json
import os
import re
import sys

import numpy as np
import onnx
import onnxruntime

import blocks
import roundings
import weights

HERE = os.path.dirname(os.path.abspath(__file__))
# The networks at the size that they were designed for. tf2onnx knows not the Erfc in ConvNeXt's.
KERAS = {
    "DenseNet121": 224, "DenseNet169": 224, "Xception": 299, "MobileNetV2": 224, "MobileNetV3Small": 224, "MobileNetV3Large": 224,
    "EfficientNetB0": 224, "EfficientNetB1": 240, "EfficientNetB2": 260, "EfficientNetV2B0": 224, "ResNet50": 224, "ResNet50V2": 224, "InceptionV3": 299,
    "Small64": 64, "Small96": 96,
}  # fmt: skip
BOUND = 1e-5, 1e-4  # of |dp| and dp/p
OPEN = 224  # height and width where a file leaves them open, as TestAgreement has them


def make_keras(folder, names):
    import export_nets
    import keras_nets

    for name in names or KERAS:
        path = os.path.join(folder, f"keras-{name.lower()}.onnx")
        if os.path.exists(path):
            continue
        model = export_nets.convert(keras_nets.settled(name, KERAS[name]), KERAS[name])
        with open(path + ".new", "wb") as f:
            f.write(model.SerializeToString())
        os.replace(path + ".new", path)
        print(path, os.path.getsize(path), flush=True)


INT8 = ["keras-small96", "keras-mobilenetv2", "torch-resnet18-64"]
BY_RECIPE = ["keras-densenet121"]  # of examples/train-classifier/quantise.py


class Calibration:
    """Four random images, for the ranges of activations."""

    def __init__(self, session):
        self.session, self.left = session, 4

    def get_next(self):
        self.left -= 1
        return inputs(self.session, f"calibration{self.left}", 0.0, 1.0, None) if self.left >= 0 else None


def quantise(folder):
    """Makes int8-NAME.onnx (QDQ, weights per channel) of some networks."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "..", "examples", "train-classifier"))
    import quantise as recipe

    for name in INT8 + BY_RECIPE:
        path, out = (os.path.join(folder, f"{p}{name}.onnx") for p in ("", "int8-"))
        if os.path.exists(out) or not os.path.exists(path):
            continue
        if name in BY_RECIPE:
            recipe.quantise(path, out, (weights.uniform(f"calibration{i}", 224 * 224 * 3, 0.0, 1.0).reshape(1, 224, 224, 3) for i in range(4)))
        else:
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            quantize_static(path, out, Calibration(session), quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)


def inputs(session, key, lo, hi, used):
    """What a network is fed: random pixels, and zeros where some exports list inputs that nothing reads."""
    feed = {}
    for x in session.get_inputs():
        if x.name == "switches":
            continue
        shape = [d if isinstance(d, int) else (1, 3, OPEN, OPEN)[k] for k, d in enumerate(x.shape)]
        if used is not None and x.name not in used:
            feed[x.name] = np.zeros(shape, np.float32)
            continue
        pixels = weights.uniform(key, int(np.prod(shape)), lo, hi)  # height, width, channels
        if shape[1] == 3:
            pixels = pixels.reshape(1, *shape[2:], 3).transpose(0, 3, 1, 2)
        feed[x.name] = np.ascontiguousarray(pixels.reshape(shape))
    return feed


def score(folder, names):
    for path in sorted(glob.glob(os.path.join(folder, "*.onnx"))):
        name = os.path.basename(path).removesuffix(".onnx")
        out = path.removesuffix(".onnx") + ".json"
        if os.path.exists(out) or names and name not in names:
            continue
        high = high_of(name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        if name.startswith("int8-"):  # the operators as they stand
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        model = onnx.load(path, load_external_data=False)
        used = {i for node in model.graph.node for i in node.input}
        cases, feeds = [], []
        for i, (lo, hi) in enumerate([(0.0, high), (0.6 * high, 0.7 * high)]):
            key = f"{name}/input{i}"
            feeds.append(inputs(session, key, lo, hi, used))
            got = session.run(None, feeds[i])[0][0]
            cases.append({"input": key, "lo": lo, "hi": hi, "scores": [float(str(v)) for v in got]})
        doc = {"cases": cases}
        for case, (apart, relative) in zip(cases, roundings.left_open(onnx.load(path), options, feeds, BOUND)):
            case["open"], case["openRelative"] = apart, relative
        print(name, "its roundings leave open", *(f"{case['open']:.1e}, relatively {case['openRelative']:.1e};" for case in cases), flush=True)
        if not name.startswith("int8-"):
            doc["blocks"] = count(path, name, high, used)
        spread = got if (got < 0).any() else np.log(np.maximum(got, 1e-30))
        print(name, "spread of the logits", round(float(spread.std()), 3), doc.get("blocks", ""), flush=True)
        with open(out, "w") as f:
            json.dump(doc, f)


def high_of(name):
    """The largest pixel value: some of Keras's have a layer of their own that divides by 255."""
    return 255.0 if re.match("keras-(own-)?(efficientnet|mobilenetv3|convnext)", name) else 1.0


def count(path, name, high, used):
    """How many blocks a network has, and which of them counts least."""
    model, names = blocks.switched(onnx.load(path))
    if not names:
        return {"count": 0}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    feed = inputs(session, f"{name}/input0", 0.0, high, used)
    least, change = blocks.least(names, lambda switches: session.run(None, feed | {"switches": switches})[0][0])
    return {"count": len(names), "least": least, "change": change}


def versions(folder):
    import platform

    rows = [f"Python {platform.python_version()}, numpy {np.__version__}, onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}"]
    for path in ("keras-versions.txt", "keras-own-versions.txt", "torch-versions.txt"):
        with open(os.path.join(folder, path)) as f:
            rows.append(f.read().strip())
    print("\n".join("- " + r for r in rows))


def main():
    folder, rest = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    if rest[:1] == ["--score"]:
        quantise(folder)
        score(folder, rest[1:])
    elif rest == ["--versions"]:
        versions(folder)
    else:
        make_keras(folder, rest)
        import keras
        import tensorflow
        import tf2onnx

        with open(os.path.join(folder, "keras-versions.txt"), "w") as f:
            f.write(f"keras {keras.__version__}, tensorflow {tensorflow.__version__}, tf2onnx {tf2onnx.__version__}\n")


if __name__ == "__main__":
    main()
