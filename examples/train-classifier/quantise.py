"""Makes an int8 model of a float32 one, for processors that multiply bytes (AVX512-VNNI).

    python quantise.py MODEL.onnx CALIBRATION OUTPUT.onnx [--test FOLDER --hydraulics PROGRAM]

CALIBRATION has a folder of images per class, of which half (--part) of each class set the ranges;
the manifest lies beside MODEL. OUTPUT.onnx receives the model (QDQ), OUTPUT.yaml its
manifest. With PROGRAM, `hydraulics evaluate` classifies the images of FOLDER,
which should be others, and its classes are counted against those of the float32
model in ONNX Runtime.

The recipe: weights are int8 with a scale per output channel, what goes into a
convolution or matrix product is uint8 between the least and largest value that
calibration met, and everything else stays in floats: what comes out of a product,
sums, concatenations, batch norms that are no part of a product, activations,
pools and softmax. So nothing is rounded twice, and hydraulics scales, shifts
and rounds in the pass that multiplies.
"""

import argparse
import hashlib
import logging
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime
import yaml

from evaluate import find, read, scores

PRODUCTS = ["Conv", "MatMul", "Gemm"]
CLEAR = 0.1  # apart are the best two classes of images that count


class Feeds:
    """Inputs for ONNX Runtime's calibration, one at a time."""

    def __init__(self, name, inputs):
        self.name, self.inputs = name, iter(inputs)

    def get_next(self):
        x = next(self.inputs, None)
        return None if x is None else {self.name: x}


def quantise(source, output, inputs):
    """Writes the int8 model of the ONNX file source; inputs are arrays for its first input."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    session = onnxruntime.InferenceSession(str(source), providers=["CPUExecutionProvider"])
    logging.disable(logging.WARNING)  # it asks for a pass over the model that changes nothing here
    quantize_static(
        str(source), str(output), Feeds(session.get_inputs()[0].name, inputs),
        quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True,
        op_types_to_quantize=PRODUCTS, extra_options={"OpTypesToExcludeOutputQuantization": PRODUCTS},
    )  # fmt: skip
    logging.disable(logging.NOTSET)


def sample(folder, part):
    """The same part of each class's images, evenly spread."""
    paths, labels, _ = find(folder)
    chosen = []
    for c in np.unique(labels):
        of = np.flatnonzero(labels == c)
        chosen += [paths[i] for i in of[np.linspace(0, len(of) - 1, max(1, round(part * len(of)))).round().astype(int)]]
    return chosen


def prepared(paths, manifest):
    """The images as the network's input."""
    given = manifest["input"]
    for p in paths:
        x = read(p, (given["height"], given["width"]), manifest.get("resize", {}).get("filter", "nearest"))
        yield (x[None] * float(manifest.get("scale", 1 / 255))).astype(np.float32)


def guesses(program, model, folder, labels):
    """What hydraulics says of each image of a folder, as indices of labels."""
    import csv

    with tempfile.TemporaryDirectory() as out:
        subprocess.run([program.resolve(), "evaluate", "--model", model, "--out", out, folder], check=True, stdout=subprocess.DEVNULL)
        with open(pathlib.Path(out) / "predictions.csv", newline="") as f:
            return {r["file"]: labels.index(r["guess"]) for r in csv.DictReader(f)}


def agreement(a, manifest):
    """Counts the test images on which int8 in hydraulics and float32 in ONNX Runtime name the same class."""
    paths, truth, classes = find(a.test)
    paths, truth = zip(*[(p, t) for p, t in zip(paths, truth) if p.suffix.lower() == ".png"])
    want = scores(a.model, manifest, paths)
    said = guesses(a.hydraulics, a.output, a.test, manifest["labels"])
    got = np.array([said[str(p.relative_to(a.test))] for p in paths])
    top = np.sort(want, axis=1)
    clear = top[:, -1] - top[:, -2] >= CLEAR
    same = got == want.argmax(1)
    truth = np.array([manifest["labels"].index(classes[t]) for t in truth])
    return {
        "test_images": len(paths),
        "clear_images": int(clear.sum()),
        "agreement_on_clear_images": round(float(same[clear].mean()), 4),
        "agreement": round(float(same.mean()), 4),
        "test_accuracy": round(float((got == truth).mean()), 4),
        "float32_test_accuracy": round(float((want.argmax(1) == truth).mean()), 4),
    }


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", type=pathlib.Path)
    p.add_argument("calibration", type=pathlib.Path)
    p.add_argument("output", type=pathlib.Path)
    p.add_argument("--part", type=float, default=0.5, help="part of each class's images that calibrates (default 0.5)")
    p.add_argument("--test", type=pathlib.Path, help="folder of images that neither training nor calibration saw")
    p.add_argument("--hydraulics", type=pathlib.Path, help="the program, which classifies the images of --test")
    a = p.parse_args()
    if (a.test is None) != (a.hydraulics is None):
        p.error("--test and --hydraulics go together")
    if a.output.suffix != ".onnx" or a.output.resolve() == a.model.resolve():
        p.error(f"{a.output}: expected another file than the model, with the ending .onnx")
    manifest = yaml.safe_load(a.model.with_suffix(".yaml").read_text())
    given = manifest["input"]
    if given.get("layout", "NHWC") != "NHWC" or given.get("channels", 3) != 3 or given.get("order", "RGB") != "RGB":
        sys.exit(f"{a.model}: this script reads models of RGB images in the order NHWC")

    paths = sample(a.calibration, a.part)
    a.output.parent.mkdir(parents=True, exist_ok=True)
    quantise(a.model, a.output, prepared(paths, manifest))
    made = dict(manifest)
    made["version"] = f"{manifest['version']}-int8"
    made["file"] = a.output.name
    made["digest"] = "sha256:" + hashlib.sha256(a.output.read_bytes()).hexdigest()
    made["training"] = {
        **manifest.get("training", {}),
        "quantised": {"from": manifest.get("digest", a.model.name), "calibration_images": len(paths), "onnxruntime": onnxruntime.__version__},
    }
    made["metrics"] = {"float32": manifest.get("metrics", {})}
    path = a.output.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(made, sort_keys=False))
    print(f"{a.output}: {a.output.stat().st_size / a.model.stat().st_size:.2f} of the size, {len(paths)} images for calibration")
    if a.test:
        made["metrics"] = {**agreement(a, manifest), **made["metrics"]}
        path.write_text(yaml.safe_dump(made, sort_keys=False))
        m = made["metrics"]
        print(
            f"{m['test_images']} images: the same class as float32 on {100 * m['agreement']:.2f} %, and on {100 * m['agreement_on_clear_images']:.2f} % "
            f"of the {m['clear_images']} whose best two are {CLEAR:g} apart; accuracy {m['test_accuracy']:.4f}, float32 {m['float32_test_accuracy']:.4f}"
        )


if __name__ == "__main__":
    main()
