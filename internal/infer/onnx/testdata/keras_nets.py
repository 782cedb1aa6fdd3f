"""Networks of Keras 3 in which each block counts, and Keras's own export of them.

    KERAS_BACKEND=torch python keras_nets.py FOLDER [NAME...]

writes FOLDER/keras-own-NAME.onnx for the networks of OWN or those named: as
Model.export does with the backend that torch is, with a batch of one.
agreement.py has those of tf2onnx.
"""

import os
import sys

import keras
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = 50
# What Keras's own export makes of them is other than what tf2onnx does, which knows
# not the Erfc in ConvNeXt's.
OWN = {"ConvNeXtTiny": 224, "EfficientNetV2B0": 224, "DenseNet121": 224, "MobileNetV3Small": 224}


def high(name):
    """The largest pixel value: some networks have a layer of their own that divides by 255."""
    return 255.0 if name.startswith(("EfficientNet", "MobileNetV3", "ConvNeXt")) else 1.0


def build(name, size):
    if name.startswith("Small"):  # the project's own
        sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "..", "examples", "train-classifier"))
        import train

        return train.small(keras, size, CLASSES)
    options = {"alpha": 0.5} if name == "MobileNetV2" else {}
    return getattr(keras.applications, name)(weights=None, classes=CLASSES, input_shape=(size, size, 3), **options)


def settled(name, size):
    """A network with weights after which scores spread: batch norms have the statistics of a
    batch, as after training, and no layer scales what it does by next to nothing."""
    keras.utils.set_random_seed(1)
    net = build(name, size)
    noise = np.random.default_rng(1)
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
        for attribute, lo, hi in (("gamma", 0.7, 1.3), ("beta", -0.1, 0.1), ("bias", -0.1, 0.1)):
            weight = getattr(layer, attribute, None)
            if weight is not None:
                weight.assign(noise.uniform(lo, hi, weight.shape).astype("float32"))
    images = noise.uniform(0, high(name), (4, size, size, 3)).astype("float32")
    net(images, training=True)
    last = [layer for layer in net.layers if layer.weights][-1]
    scores = keras.ops.convert_to_numpy(net(images[:1]))
    kernel = last.kernel
    kernel.assign(kernel * (1.5 / np.log(np.maximum(scores, 1e-30)).std()))
    return net


def main():
    folder, names = sys.argv[1], sys.argv[2:] or OWN
    for name in names:
        path = os.path.join(folder, f"keras-own-{name.lower()}.onnx")
        if os.path.exists(path):
            continue
        size = OWN[name]
        spec = keras.InputSpec(shape=(1, size, size, 3), dtype="float32", name="input")
        settled(name, size).export(path + ".new.onnx", format="onnx", verbose=False, input_signature=[spec])
        os.replace(path + ".new.onnx", path)
        print(path, os.path.getsize(path), flush=True)
    with open(os.path.join(folder, "keras-own-versions.txt"), "w") as f:
        f.write(f"keras {keras.__version__} with {keras.backend.backend()} behind it, for keras-own\n")


if __name__ == "__main__":
    main()
