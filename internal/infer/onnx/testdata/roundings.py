"""Tells how far the roundings of a quantised network leave its scores open.

A QuantizeLinear rounds a sum that float32 knows only up to an error, which the order of the
additions decides: each rounds what is summed so far, so that with products of either sign the error
of n of them has a standard deviation of about 2**-24 * n / sqrt(6) times theirs, which is half of
2**-24 times the sum of their magnitudes. A sum that is nearer than that to a half is rounded to
either side. What follows differs by a whole step, and moves many of the sums behind it. So the
scores that engines can rightly give are those with each sum moved by so much, and none of them is
more right than another.
"""

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from blocks import scores

DRAWS = 32
SUMS = ("Add", "AveragePool", "Conv", "Gemm", "GlobalAveragePool", "MatMul")
MOST = 2.0**-24  # of the sum of magnitudes; evenly drawn below it, the standard deviation is 0.58 of it


def moved(model):
    """The network with each sum moved by a random part of its error."""
    out, nodes = onnx.ModelProto(), []
    out.CopyFrom(model)
    for node in out.graph.node:
        nodes.append(node)
        if node.op_type not in SUMS:
            continue
        name, at = node.output[0], node.output[0] + "/moved/"
        node.output[0] = at + "sum"
        magnitudes = onnx.NodeProto()  # the same sum, of magnitudes
        magnitudes.CopyFrom(node)
        magnitudes.name, magnitudes.output[0] = at, at + "magnitude"
        for k, x in enumerate(node.input):
            magnitudes.input[k] = at + str(k)
            nodes.append(helper.make_node("Abs", [x], [at + str(k)]))
        nodes += [
            magnitudes,
            helper.make_node("RandomUniformLike", [at + "magnitude"], [at + "part"], low=-MOST, high=MOST),
            helper.make_node("Mul", [at + "magnitude", at + "part"], [at + "error"]),
            helper.make_node("Add", [at + "sum", at + "error"], [name]),
        ]
    del out.graph.node[:]
    out.graph.node.extend(nodes)
    return out


def left_open(model, options, feeds):
    """The largest change of a score, for each of the inputs, among DRAWS of the moved network."""
    onnxruntime.set_seed(1)
    still, free = (onnxruntime.InferenceSession(m.SerializeToString(), options, ["CPUExecutionProvider"]) for m in (model, moved(model)))
    changes = []
    for feed in feeds:
        want = scores(still.run(None, feed)[0][0])
        changes.append(max(float(np.abs(scores(free.run(None, feed)[0][0]) - want).max()) for _ in range(DRAWS)))
    return changes
