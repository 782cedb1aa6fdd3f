"""Records what examples/train-classifier/evaluate.py says of the demo's model
and the pictures of the tests of internal/infer/model, each laid into two folders.

    python record.py

writes report.json and predictions.json. Packages and versions are in
examples/train-classifier/requirements.txt.
"""

import json
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]
sys.path.insert(0, str(ROOT / "examples" / "train-classifier"))

import numpy as np
import yaml

import evaluate
import report


def main():
    model = ROOT / "configs" / "demo" / "demo-plankton.onnx"
    manifest = yaml.safe_load(model.with_suffix(".yaml").read_text())
    labels = manifest["labels"]
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        for i, f in enumerate(sorted((ROOT / "internal" / "model" / "testdata" / "images").glob("*.png"))):
            for to in {i % len(labels), (3 * i + 1) % len(labels)}:
                (folder / labels[to]).mkdir(exist_ok=True)
                shutil.copy(f, folder / labels[to])
        paths, truth, classes = evaluate.find(folder)
        got = evaluate.scores(model, manifest, paths)
        found = report.report(np.array([labels.index(classes[t]) for t in truth]), got.argmax(1), labels)
        report.write(found, HERE)
        rows = {str(p.relative_to(folder)): [labels[s.argmax()], float(str(s.max()))] for p, s in zip(paths, got)}
    (HERE / "predictions.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
