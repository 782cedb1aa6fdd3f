"""Tells how far the roundings of a network leave its scores open.

Engines add the same products in different orders, and each addition rounds what is summed so far:
with products of either sign the error of n of them has a standard deviation of about
2**-24 * n / sqrt(6) times theirs, which is half of 2**-24 times the sum of their magnitudes. And
engines fold norms into the weights beside them, or into a factor and a term, which rounds these
once more, for all places of an image alike. What follows can make much of it: a batch norm divides
by a small deviation, logits are far apart, or a QuantizeLinear has a sum that is as near as that to
a half, and rounds it to either side, so that what follows differs by a whole step. So the scores
that engines can rightly give are those with each sum and weight moved by so much, and none of them
is more right than another.
"""

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from blocks import data, scores

DRAWS, FEW = 32, 8
SUMS = ("Add", "AveragePool", "BatchNormalization", "Conv", "Gemm", "GlobalAveragePool", "MatMul", "Sub")
FOLDED = ("Add", "BatchNormalization", "Conv", "Mul", "Sub")
LESS = {"BatchNormalization": 3, "Sub": 1}  # the input that a sum subtracts
MOST = 2.0**-24  # of the sum of magnitudes; evenly drawn below it, the standard deviation is 0.58 of it


def move(name, magnitude, at, to):
    """Nodes that add to a tensor a random part of what a magnitude has for an error."""
    return [
        helper.make_node("RandomUniformLike", [magnitude], [at + "part"], low=-MOST, high=MOST),
        helper.make_node("Mul", [magnitude, at + "part"], [at + "error"]),
        helper.make_node("Add", [name, at + "error"], [to]),
    ]


def moved(model):
    """The network with each sum moved by a random part of its error, and so the weights that a norm can be folded into or is."""
    out, nodes, weights = onnx.ModelProto(), [], {}
    out.CopyFrom(model)
    fed = data(model.graph)
    floats = {i.name for i in model.graph.initializer if i.data_type == onnx.TensorProto.FLOAT}
    for node in out.graph.node:
        if node.op_type in FOLDED and node.output[0] in fed:
            for k, x in enumerate(node.input):
                if x in floats:
                    weights[x] = move(x, x, x + "/moved/", x + "/moved")
                    node.input[k] = x + "/moved"
        nodes.append(node)
        if node.op_type not in SUMS or node.output[0] not in fed:
            continue
        name, at = node.output[0], node.output[0] + "/moved/"
        node.output[0] = at + "sum"
        magnitudes = onnx.NodeProto()  # the same sum, of magnitudes
        magnitudes.CopyFrom(node)
        magnitudes.name, magnitudes.output[0] = at, at + "magnitude"
        for k, x in enumerate(node.input):
            magnitudes.input[k] = at + str(k)
            less = LESS.get(node.op_type) == k
            nodes.append(helper.make_node("Abs", [x], [at + str(k) + "/less" * less]))
            if less:
                nodes.append(helper.make_node("Neg", [at + str(k) + "/less"], [at + str(k)]))
        nodes += [magnitudes, *move(at + "sum", at + "magnitude", at, name)]
    del out.graph.node[:]
    out.graph.node.extend([node for moves in weights.values() for node in moves] + nodes)
    return out


def left_open(model, options, feeds, bound):
    """How far apart two of DRAWS runs of the moved network are, and of the network as it is, for each of the inputs:
    the largest difference of a score, and relatively of one of more than 1e-6. FEW of them do where they come nowhere
    near the bound of either."""
    onnxruntime.set_seed(1)
    still, free = (onnxruntime.InferenceSession(m.SerializeToString(), options, ["CPUExecutionProvider"]) for m in (model, moved(model)))
    all_apart = []
    for feed in feeds:
        want = scores(still.run(None, feed)[0][0])
        low, most, high = want, want, want > 1e-6
        for n in range(1, DRAWS + 1):
            run = scores(free.run(None, feed)[0][0])
            low, most = np.minimum(low, run), np.maximum(most, run)
            apart = float((most - low).max()), float(((most - low)[high] / want[high]).max())
            if n == FEW and apart[0] < bound[0] / 4 and apart[1] < bound[1] / 4:
                break
        all_apart.append(apart)
    return all_apart
