"""Prints what a file holds as JSON: python dump.py FILE. Needs h5py."""

import json
import sys

import h5py


def dump(dataset):
    empty = dataset.shape is None
    elements = None if empty else dataset.asstr()[:] if h5py.check_string_dtype(dataset.dtype) else dataset[:]
    return {
        "type": str(dataset.dtype),
        "elements": None if empty else elements.tolist(),
        "attributes": dict(dataset.attrs),
    }


with h5py.File(sys.argv[1]) as file:
    print(json.dumps({name: dump(file[name]) for name in file}, indent=1, sort_keys=True))
