"""Train a classifier of plankton images and write it in every form hydraulics takes.

    python train.py OUTPUT TRAINING [VALIDATION] [--architecture small|densenet121|xception] ...

TRAINING and VALIDATION are folders with one folder of images per class, such as
`hydraulics simulate images` makes. Without VALIDATION a stratified part of
TRAINING is held back. OUTPUT receives

    NAME.onnx       the network, for hydraulics' own engine and ONNX Runtime
    NAME.yaml       the manifest: labels, preprocessing, digest, training, metrics
    NAME.keras      the network, to go on training
    savedmodel/1/   the network, for TensorFlow Serving
    labels.txt      one class a line, in the order of the network's output
    report.json     per-class precision, recall and F1, confusion matrix, history,
                    of the validation images; test-report.json of the test images
    confusion.png, classes.png   the same as pictures (test-confusion.png, ...)

The recipe for densenet121 and xception is the one of the original hydraulics
(2020): the network without its top, average pooling, Dense 1024 ReLU, Dense
softmax; only the new layers train (--fine-tune trains all); Adam, categorical
cross-entropy, flips, pixels/255, images resized by nearest neighbour to the
network's size whatever their shape; the learning rate falls and training ends
when the validation loss no longer does. `small` is a network for CPUs that
trains in minutes, from a random start.
"""

import argparse
import hashlib
import pathlib
import subprocess
import sys
import time

import numpy as np
import yaml

import report
from evaluate import compare, find, read, scores


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("output", type=pathlib.Path)
    p.add_argument("training", type=pathlib.Path)
    p.add_argument("validation", type=pathlib.Path, nargs="?")
    p.add_argument("--test", type=pathlib.Path, help="folder of images that training never sees; its accuracy goes into the manifest")
    p.add_argument("--architecture", choices=["small", "densenet121", "xception"], default="densenet121")
    p.add_argument("--name", help="name of the model (default: the architecture)")
    p.add_argument("--version", default="1", help="version of the model")
    p.add_argument("--size", type=int, help="pixels of the network's square input (default 224; small: 64)")
    p.add_argument("--filter", choices=["nearest", "box", "bilinear", "bicubic", "lanczos"], default="nearest", help="how images are resized")
    p.add_argument("--batch_size", type=int, default=200)
    p.add_argument("--epochs", type=int, default=40)
    p.add_argument("--weights", choices=["imagenet", "none"], default="imagenet", help="where the frozen network starts from")
    p.add_argument("--fine-tune", action="store_true", help="train all layers, not the new ones only")
    p.add_argument("--learning-rate", type=float, default=1e-3)
    p.add_argument("--held-back", type=float, default=0.2, help="part of TRAINING for validation where there is no folder for it")
    p.add_argument("--hydraulics", type=pathlib.Path, help="the program: its scores are compared with those of ONNX Runtime, on the test or validation folder")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    a.name = a.name or a.architecture
    a.size = a.size or (64 if a.architecture == "small" else 224)
    return a


def split(paths, labels, part, rng):
    """A stratified split: the same part of every class is held back, at least one image."""
    held = np.zeros(len(paths), bool)
    for c in np.unique(labels):
        of = rng.permutation(np.flatnonzero(labels == c))
        if len(of) < 2:
            sys.exit(f"{paths[of[0]].parent}: one image cannot be split into training and validation: add images, or give a VALIDATION folder")
        held[of[: max(1, round(part * len(of)))]] = True
    pick = lambda mask: ([p for p, m in zip(paths, mask) if m], labels[mask])
    return pick(~held), pick(held)


def load(paths, a):
    images = np.empty((len(paths), a.size, a.size, 3), np.uint8)
    for i, p in enumerate(paths):
        images[i] = read(p, (a.size, a.size), a.filter)
    return images


def small(keras, size, classes):
    """A network of about 100,000 weights: strided convolutions, then separable ones."""
    L = keras.layers
    x = inputs = keras.Input((size, size, 3), name="input")
    for filters, stride in ((16, 2), (24, 1), (32, 2)):
        x = L.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = L.BatchNormalization(momentum=0.9)(x)
        x = L.ReLU()(x)
    for filters, stride in ((64, 1), (96, 2), (128, 1), (160, 2)):
        x = L.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x)
        x = L.BatchNormalization(momentum=0.9)(x)
        x = L.Conv2D(filters, 1, use_bias=False)(x)
        x = L.BatchNormalization(momentum=0.9)(x)
        x = L.ReLU()(x)
    x = L.GlobalAveragePooling2D()(x)
    x = L.Dropout(0.3)(x)
    return keras.Model(inputs, L.Dense(classes, activation="softmax", name="probabilities")(x))


def transfer(keras, a, classes):
    """DenseNet121 or Xception with the original's top."""
    make = {"densenet121": keras.applications.DenseNet121, "xception": keras.applications.Xception}[a.architecture]
    shape = (a.size, a.size, 3)
    try:
        base = make(include_top=False, weights="imagenet" if a.weights == "imagenet" else None, input_shape=shape, pooling="avg")
    except Exception as e:  # no network, as on a ship
        print(f"ImageNet weights cannot be fetched ({type(e).__name__}): starting from random ones and training all layers", file=sys.stderr)
        base, a.fine_tune, a.weights = make(include_top=False, weights=None, input_shape=shape, pooling="avg"), True, "none"
    base.trainable = a.fine_tune or a.weights == "none"
    inputs = keras.Input(shape, name="input")
    x = base(inputs, training=None if base.trainable else False)
    x = keras.layers.Dense(1024, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(classes, activation="softmax", name="probabilities")(x))


def batches(tf, images, labels, classes, a, augment):
    def prepare(image, label):
        x = tf.cast(image, tf.float32) / 255.0
        if augment:
            x = tf.image.random_flip_up_down(tf.image.random_flip_left_right(x))
        return x, tf.one_hot(label, classes)

    d = tf.data.Dataset.from_tensor_slices((images, labels))
    if augment:
        d = d.shuffle(len(images), seed=a.seed)
    return d.map(prepare, num_parallel_calls=tf.data.AUTOTUNE).batch(a.batch_size).prefetch(2)


def export(tf, model, a):
    """Writes SavedModel and ONNX; gives the ONNX file."""
    import tf2onnx

    model.export(str(a.output / "savedmodel" / a.version), verbose=False)
    spec = (tf.TensorSpec((None, a.size, a.size, 3), tf.float32, name="input"),)
    call = tf.function(lambda input: model(input, training=False), input_signature=spec)
    onnx, _ = tf2onnx.convert.from_function(call, input_signature=spec, opset=15)
    onnx.graph.ClearField("doc_string")
    path = a.output / f"{a.name}.onnx"
    path.write_bytes(onnx.SerializeToString())
    return path


def check(tf, model, path, a, images):
    """The largest difference of a score between Keras, SavedModel and ONNX Runtime."""
    import onnxruntime

    x = images[:32].astype(np.float32) / 255.0
    want = model.predict(x, verbose=0)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run(None, {session.get_inputs()[0].name: x})[0]
    loaded = tf.saved_model.load(str(a.output / "savedmodel" / a.version))  # owns the variables while it is called
    served = loaded.serve(tf.constant(x)).numpy()
    worst = max(float(np.abs(got - want).max()), float(np.abs(served - want).max()))
    if worst > 1e-5:
        sys.exit(f"ONNX, SavedModel and Keras differ by {worst:g} in a score")
    return worst


def engine(a, path, folder):
    """Compares the scores of hydraulics' own engine with ONNX Runtime's; leaves its report in OUTPUT/evaluation."""
    out = a.output / "evaluation"
    subprocess.run([a.hydraulics.resolve(), "evaluate", "--model", path, "--out", out, folder], check=True, stdout=subprocess.DEVNULL)
    data = yaml.safe_load(path.with_suffix(".yaml").read_text())
    paths = [p for p in find(folder)[0] if p.suffix.lower() == ".png"]
    worst = compare(out / "predictions.csv", folder, paths, scores(path, data, paths), data["labels"])
    print(f"hydraulics and ONNX Runtime agree on {len(paths)} images, the largest difference of a probability is {worst:.1e}")


def manifest(a, path, classes, counts, found, worst, test):
    import keras

    data = {
        "name": a.name,
        "version": a.version,
        "file": path.name,
        "digest": "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest(),
        "input": {"height": a.size, "width": a.size, "channels": 3, "layout": "NHWC", "order": "RGB"},
        "resize": {"filter": a.filter, "keep_aspect": False},
        "scale": 1 / 255,
        "output": "probabilities",
        "labels": classes,
        "training": {
            "architecture": a.architecture, "start": a.weights if a.architecture != "small" else "none", "fine_tune": bool(a.fine_tune or a.architecture == "small"),
            "images": counts[0], "validation_images": counts[1], "seed": a.seed, "keras": keras.__version__,
        },
        "metrics": {"validation_accuracy": round(found["accuracy"], 4), "validation_macro_f1": round(found["macro_f1"], 4), **test, "largest_difference_between_forms": float(f"{worst:.2g}")},
    }
    (a.output / f"{a.name}.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    (a.output / "labels.txt").write_text("".join(c + "\n" for c in classes))


def main():
    a = arguments()
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(a.seed)
    paths, labels, classes = find(a.training)
    if a.validation:
        vpaths, vlabels, vclasses = find(a.validation)
        if vclasses != classes:
            sys.exit(f"{a.validation}: its classes differ from those of {a.training}: {sorted(set(classes) ^ set(vclasses))}")
    else:
        (paths, labels), (vpaths, vlabels) = split(paths, labels, a.held_back, np.random.default_rng(a.seed))
    a.output.mkdir(parents=True, exist_ok=True)
    images, vimages = load(paths, a), load(vpaths, a)
    n = len(classes)
    print(f"{len(images)} images of {n} classes, {len(vimages)} for validation")

    model = small(keras, a.size, n) if a.architecture == "small" else transfer(keras, a, n)
    model.compile(optimizer=keras.optimizers.Adam(a.learning_rate), loss="categorical_crossentropy", metrics=["accuracy"])
    share = np.bincount(labels, minlength=n)
    weights = {i: len(labels) / (n * max(1, c)) for i, c in enumerate(share)}  # rare classes count as much as common ones
    best = a.output / f"{a.name}.keras"
    patience = 8 if a.architecture == "small" else 2
    began = time.time()
    history = model.fit(
        batches(tf, images, labels, n, a, True), validation_data=batches(tf, vimages, vlabels, n, a, False),
        epochs=a.epochs, class_weight=weights, verbose=2,
        callbacks=[
            keras.callbacks.ModelCheckpoint(str(best), monitor="val_loss", save_best_only=True),
            keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.3, patience=max(2, patience // 2), min_lr=1e-4 if a.architecture != "small" else 1e-5),
            keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience),
        ],
    )
    model = keras.models.load_model(best)
    found = report.report(vlabels, model.predict(batches(tf, vimages, vlabels, n, a, False), verbose=0).argmax(1), classes)
    path = export(tf, model, a)
    worst = check(tf, model, path, a, vimages)
    test = {}
    if a.test:
        tpaths, tlabels, tclasses = find(a.test)
        if tclasses != classes:
            sys.exit(f"{a.test}: its classes differ from those of {a.training}: {sorted(set(classes) ^ set(tclasses))}")
        tscores = model.predict(batches(tf, load(tpaths, a), tlabels, n, a, False), verbose=0)
        tested = report.report(tlabels, tscores.argmax(1), classes)
        report.write(tested, a.output, "test-report.json")
        report.pictures(tested, a.output, "test-")
        test = {"test_accuracy": round(tested["accuracy"], 4), "test_macro_f1": round(tested["macro_f1"], 4), "test_images": len(tpaths)}
    manifest(a, path, classes, (len(images), len(vimages)), found, worst, test)
    found["history"] = {k: [round(float(x), 5) for x in v] for k, v in history.history.items()}
    report.write(found, a.output)
    report.pictures(found, a.output)
    if a.hydraulics:
        engine(a, path, a.test or a.validation or a.training)
    print(f"validation accuracy {found['accuracy']:.4f}, {time.time() - began:.0f} s; the forms differ by {worst:.1e} at most; {path}")


if __name__ == "__main__":
    main()
