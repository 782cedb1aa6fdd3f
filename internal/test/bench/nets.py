"""Makes the networks that the benchmark of the ONNX engine runs: Keras 3 and
tf2onnx at 224x224, with the weights of internal/infer/onnx/testdata/weights.py.

    python nets.py FOLDER [NAME...]

writes FOLDER/NAME.onnx for all networks below or those named, except what is
there already, and int8-densenet121.onnx by the recipe of
examples/train-classifier/quantise.py. Packages are in examples/train-classifier/requirements.txt.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "infer", "onnx", "testdata"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "examples", "train-classifier"))

import export_nets
import quantise
import weights

NETS = ["DenseNet121", "Xception", "ResNet50", "EfficientNetB0", "MobileNetV2"]


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for name in sys.argv[2:] or NETS:
        path = os.path.join(folder, name.lower() + ".onnx")
        if os.path.exists(path):
            continue
        export_nets.NETS[name] = 224
        high = 255.0 if name.startswith(("EfficientNet", "MobileNetV3")) else 1.0
        model = weights.strip(export_nets.export(name))
        export_nets.calibrate(model, name.lower(), high)
        with open(path + ".new", "wb") as f:
            f.write(weights.fill(model).SerializeToString())
        os.replace(path + ".new", path)
        print(path)
    quantised(folder, "densenet121")


def quantised(folder, name):
    """Makes int8-NAME.onnx; random pixels set the ranges."""
    source, path = (os.path.join(folder, prefix + name + ".onnx") for prefix in ("", "int8-"))
    if os.path.exists(path) or not os.path.exists(source):
        return
    quantise.quantise(source, path + ".new", (weights.uniform(f"calibration{i}", 224 * 224 * 3, 0, 1).reshape(1, 224, 224, 3) for i in range(4)))
    os.replace(path + ".new", path)
    print(path)


if __name__ == "__main__":
    main()
