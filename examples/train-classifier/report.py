"""How good a classifier is on labelled images: numbers and pictures.

`hydraulics evaluate` computes the same numbers from the same images.
"""

import json

import numpy as np


def report(truth, guess, classes):
    """Accuracy, precision, recall and F1 per class, and the confusion matrix (rows: truth).

    Precision is of the images that were taken for a class, recall of those that are; 0 where there are none.
    """
    n = len(classes)
    matrix = np.zeros((n, n), int)
    np.add.at(matrix, (truth, guess), 1)
    ratio = lambda a, b: float(a / b) if b else 0.0
    per, f1 = {}, []
    for i, name in enumerate(classes):
        hit, are, taken = int(matrix[i, i]), int(matrix[i].sum()), int(matrix[:, i].sum())
        per[name] = {"images": are, "precision": ratio(hit, taken), "recall": ratio(hit, are), "f1": ratio(2 * hit, are + taken)}
        if are:
            f1.append(per[name]["f1"])
    total = int(matrix.sum())
    return {
        "images": total,
        "accuracy": ratio(int(matrix.trace()), total),
        "macro_f1": ratio(sum(f1), len(f1)),
        "labels": list(classes),
        "classes": per,
        "confusion": matrix.tolist(),
    }


def pictures(found, folder, prefix=""):
    """Draws a report's confusion matrix and per-class numbers as PNG files."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    def save(figure, name):
        FigureCanvasAgg(figure).print_png(str(folder / f"{prefix}{name}.png"))

    labels, n = found["labels"], len(found["labels"])
    side = 2.5 + 0.28 * n
    matrix = np.array(found["confusion"])
    part = matrix / np.maximum(1, matrix.sum(1, keepdims=True))
    figure = Figure((side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(part, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(n), labels, rotation=90, fontsize=7)
    axes.set_yticks(range(n), labels, fontsize=7)
    axes.set_xlabel("what the model says")
    axes.set_ylabel("truth")
    axes.set_title(f"{found['images']} images, accuracy {found['accuracy']:.4f}", fontsize=9)
    for i, k in zip(*np.nonzero(matrix)):
        axes.text(k, i, matrix[i, k], ha="center", va="center", fontsize=5, color="white" if part[i, k] > 0.5 else "black")
    save(figure, "confusion")

    figure = Figure((6, 1.5 + 0.28 * n), layout="constrained")
    axes = figure.subplots()
    y = np.arange(n)
    for at, key in ((-0.25, "precision"), (0, "recall"), (0.25, "f1")):
        axes.barh(y + at, [found["classes"][c][key] for c in labels], 0.25, label=key)
    axes.set_yticks(y, [f"{c} ({found['classes'][c]['images']})" for c in labels], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=3, fontsize=7)
    save(figure, "classes")


def write(found, folder, name="report.json"):
    (folder / name).write_text(json.dumps(found, indent=1) + "\n")
