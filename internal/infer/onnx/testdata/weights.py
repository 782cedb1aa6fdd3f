"""Weights that a script and a Go test make alike, so that git holds graphs only.

A stripped graph is an ONNX file in which float initialisers have a name and a
shape but no data; their doc_string says what fills them:

    fill uniform LO HI

Element i of a tensor is LO + (HI - LO) * u, computed in float64 and rounded to
float32, where u = (z >> 40) / 2**24 and z is the i-th output (from 0) of
splitmix64 whose state starts at the 64-bit FNV-1a hash of the tensor's name.
The Go twin of this file is the package onnxtest beside it.
"""

import math

import numpy as np
import onnx
from onnx import numpy_helper

MASK = (1 << 64) - 1
KEEP = 16  # initialisers of up to so many elements keep their data


def fnv1a(text):
    h = 0xCBF29CE484222325
    for b in text.encode("utf-8"):
        h = ((h ^ b) * 0x100000001B3) & MASK
    return h


def uniform(name, count, lo, hi):
    """count float32 numbers from LO to HI, the same as onnxtest.Uniform's."""
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(40)).astype(np.float64) / float(1 << 24)
    return (lo + (hi - lo) * u).astype(np.float32)


def rule(graph, init):
    """Bounds for an initialiser, by the part it plays in the first node that reads it."""
    for node in graph.node:
        if init.name not in node.input:
            continue
        at = list(node.input).index(init.name)
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            if at != 1:
                return -0.3, 0.3
            dims = list(init.dims)
            if node.op_type == "Conv":
                fan_in = math.prod(dims[1:])
            else:
                trans = any(a.name == "transB" and a.i for a in node.attribute)
                fan_in = dims[1] if trans else dims[0]
            limit = round(math.sqrt(6 / fan_in), 6)  # He: the variance is 2 / fan_in
            return -limit, limit
        if node.op_type == "BatchNormalization":
            return [None, (0.5, 1.5), (-0.3, 0.3), (-0.3, 0.3), (0.5, 1.5)][at]
        if node.op_type in ("Mul", "Div"):
            return 0.5, 1.5
        return -0.3, 0.3
    return -0.3, 0.3


def strip(model):
    """Takes the data out of all larger float initialisers, in place."""
    for init in model.graph.initializer:
        if init.data_type != onnx.TensorProto.FLOAT or math.prod(init.dims) <= KEEP:
            continue
        lo, hi = rule(model.graph, init)
        init.doc_string = f"fill uniform {lo!r} {hi!r}"
        for field in ("float_data", "raw_data"):
            init.ClearField(field)
    return model


def fill(model):
    """Gives a stripped graph its weights, in place."""
    for init in model.graph.initializer:
        if not init.doc_string.startswith("fill uniform "):
            continue
        lo, hi = (float(x) for x in init.doc_string.split()[2:])
        data = uniform(init.name, math.prod(init.dims), lo, hi).reshape(tuple(init.dims))
        name, doc = init.name, init.doc_string
        init.CopyFrom(numpy_helper.from_array(data, name))
        init.doc_string = doc
    return model
