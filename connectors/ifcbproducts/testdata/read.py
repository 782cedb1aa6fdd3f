"""Reads a bin's products as dashboards and analysts do, and prints what it finds as JSON: python read.py FOLDER BIN.

It looks for a file as pyifcb's product directories do: in the folder, and in folders below whose name is part of the
file's. Needs h5py and pandas."""

import json
import pathlib
import sys
import zipfile

import h5py
import pandas

folder, lid = pathlib.Path(sys.argv[1]), sys.argv[2]


def find(directory, name):
    if (directory / name).exists():
        return directory / name
    for below in directory.iterdir():
        if below.is_dir() and below.name in name and (found := find(below, name)):
            return found


with h5py.File(find(folder / "class_scores", f"{lid}_class.h5")) as file:
    labels = [label.decode("ascii") for label in file["class_labels"][:]]
    scores = pandas.DataFrame(file["output_scores"][:], columns=labels).set_index(file["roi_numbers"][:])
    best = [labels[i] for i in file["output_classes"][:]]
    metadata = dict(file["metadata"].attrs)
table = pandas.read_csv(find(folder / "class_scores", f"{lid}_class.csv"), index_col="pid").astype("float32")
features = pandas.read_csv(find(folder / "features", f"{lid}_fea_v4.csv"), index_col="roi_number")
with zipfile.ZipFile(find(folder / "blobs", f"{lid}_blobs_v4.zip")) as blobs:
    masks = {name: blobs.read(name)[:8].hex() for name in blobs.namelist()}

print(
    json.dumps(
        {
            "scores": json.loads(scores.to_json(orient="index")),
            "table is the same": table.set_index(scores.index).equals(scores),
            "classes": best,
            "metadata": metadata,
            "features": json.loads(features.to_json(orient="index")),
            "masks": masks,
        },
        indent=1,
    )
)
