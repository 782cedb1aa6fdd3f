"""Report on a model with ONNX Runtime: what `hydraulics evaluate` does with its own engine.

    python evaluate.py MODEL.onnx FOLDER [OUTPUT] [--predictions FILE]

FOLDER has a folder of images per class; the manifest lies beside the model.
OUTPUT receives report.json and the pictures. With FILE, the predictions.csv of
`hydraulics evaluate --out`, every class and probability there is compared with
ONNX Runtime's: classes equal, probabilities within 1e-5.
"""

import argparse
import csv
import json
import pathlib
import sys

import numpy as np
import onnxruntime
import yaml
from PIL import Image

import report

TOLERANCE = 1e-5


def read(path, size, filter="nearest"):
    """An image as the network sees it: RGB bytes, resized by one of Pillow's filters; size is height, width."""
    with Image.open(path) as image:
        if image.mode.startswith("I;16"):  # Pillow's own conversion turns all but the darkest to white
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        return np.asarray(image.convert("RGB").resize((size[1], size[0]), Image.Resampling[filter.upper()]))


def find(folder):
    """Paths and class indices of a folder's images, and its class names."""
    classes = sorted(d.name for d in folder.iterdir() if d.is_dir())
    if len(classes) < 2:
        sys.exit(f"{folder}: needs a folder of images for each of at least two classes")
    paths, labels = [], []
    for i, name in enumerate(classes):
        images = sorted(f for f in (folder / name).iterdir() if f.suffix.lower() in (".png", ".jpg", ".jpeg"))
        if not images:
            sys.exit(f"{folder / name}: holds no images")
        paths += images
        labels += [i] * len(images)
    return paths, np.array(labels), classes


def scores(model, manifest, paths):
    """The probabilities that ONNX Runtime gives for images, as the manifest says."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    given = manifest["input"]
    if given.get("layout", "NHWC") != "NHWC" or given.get("channels", 3) != 3 or given.get("order", "RGB") != "RGB":
        sys.exit(f"{model}: this script reads models of RGB images in the order NHWC")
    name, size = session.get_inputs()[0].name, (given["height"], given["width"])
    filter = manifest.get("resize", {}).get("filter", "nearest")
    out = []
    for p in paths:
        x = (read(p, size, filter)[None] * float(manifest.get("scale", 1 / 255))).astype(np.float32)
        out.append(session.run(None, {name: x})[0][0])
    return np.stack(out)


def compare(file, folder, paths, got, labels):
    """The largest difference of a probability between a predictions.csv and ONNX Runtime."""
    with open(file, newline="") as f:
        theirs = {r["file"]: r for r in csv.DictReader(f)}
    worst, p = 0.0, got.max(1)
    for path, i, guess in zip(paths, range(len(paths)), got.argmax(1)):
        row = theirs.pop(str(path.relative_to(folder)), None)
        if row is None:
            sys.exit(f"{file}: has no line for {path}")
        worst = max(worst, abs(float(row["prob"]) - float(p[i])))
        if row["guess"] != labels[guess] and p[i] - got[i][labels.index(row["guess"])] > TOLERANCE:
            sys.exit(f"{path}: hydraulics says {row['guess']}, ONNX Runtime {labels[guess]}")
    if theirs:
        sys.exit(f"{file}: has {len(theirs)} lines of images that are not in {folder}, such as {next(iter(theirs))}")
    if worst > TOLERANCE:
        sys.exit(f"{file}: a probability differs from ONNX Runtime's by {worst:g}")
    return worst


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", type=pathlib.Path)
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("output", type=pathlib.Path, nargs="?")
    p.add_argument("--predictions", type=pathlib.Path, help="predictions.csv of `hydraulics evaluate --out` to compare with")
    a = p.parse_args()
    manifest = yaml.safe_load(a.model.with_suffix(".yaml").read_text())
    paths, truth, classes = find(a.folder)
    labels = manifest["labels"]
    if strange := sorted(set(classes) - set(labels)):
        sys.exit(f"{a.folder}: the model knows no class {', '.join(strange)}")
    got = scores(a.model, manifest, paths)
    found = report.report(np.array([labels.index(classes[t]) for t in truth]), got.argmax(1), labels)
    if a.predictions:
        worst = compare(a.predictions, a.folder, paths, got, labels)
        print(f"{len(paths)} images: hydraulics and ONNX Runtime agree, the largest difference of a probability is {worst:.1e}")
    if a.output:
        a.output.mkdir(parents=True, exist_ok=True)
        report.write(found, a.output)
        report.pictures(found, a.output)
    print(json.dumps({k: found[k] for k in ("images", "accuracy", "macro_f1")}))


if __name__ == "__main__":
    main()
