"""Tells whether each block of a network counts: how much the scores change without it.

A block ends in a tensor that only additions and concatenations read, the branch
of a residual network, a dense block's new channels or a part of an inception,
or in a gate, which multiplies something else than its own input. Parts that are only
put together again, as a shifted window's are, are none. Without a block are zeros in
place of the branch, and ones in place of the gate.
"""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

JOINS = ("Add", "Concat", "Sum")
GATES = ("Sigmoid", "HardSigmoid")
PARTS = ("Slice", "Split")


def data(graph):
    """The names of the tensors that are computed of the image, and not of shapes and weights alone."""
    fed = {i.name for i in graph.input} - {i.name for i in graph.initializer}
    for node in graph.node:
        if node.op_type != "Shape" and any(name in fed for name in node.input):
            fed.update(node.output)
    return fed


def ends(graph):
    """The names of the tensors that blocks end in, and whether each is a gate."""
    fed = data(graph)
    readers, maker = {}, {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
        maker.update((name, node) for name in node.output)
    found = {}
    for name, nodes in readers.items():
        if name not in fed or name not in maker or maker[name].op_type in PARTS and all(n.op_type == "Concat" for n in nodes):
            continue
        if all(n.op_type in JOINS and sum(i in fed for i in n.input) > 1 for n in nodes):
            found[name] = False
        elif maker[name].op_type in GATES and all(n.op_type == "Mul" and maker[name].input[0] not in n.input for n in nodes):
            found[name] = True
    return found


def switched(model):
    """The network with one more input, a number per block: 1 keeps it, 0 takes it out. And the blocks' names."""
    out, blocks = onnx.ModelProto(), ends(model.graph)
    out.CopyFrom(model)
    graph, made, renamed = out.graph, {}, {}
    graph.input.append(helper.make_tensor_value_info("switches", TensorProto.FLOAT, [len(blocks)]))
    if any(blocks.values()):
        graph.initializer.append(numpy_helper.from_array(np.float32(1), "switches/on"))
    for k, (name, gate) in enumerate(blocks.items()):
        s = f"switches/{k}"
        graph.initializer.append(numpy_helper.from_array(np.int64(k), s + "/at"))
        nodes = [helper.make_node("Gather", ["switches", s + "/at"], [s]), helper.make_node("Mul", [name, s], [s + "/kept"])]
        if gate:
            nodes += [helper.make_node("Sub", ["switches/on", s], [s + "/off"]), helper.make_node("Add", [s + "/kept", s + "/off"], [s + "/open"])]
        made[name], renamed[name] = nodes, nodes[-1].output[0]
    nodes = []
    for node in model.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        nodes.append(node)
        for name in node.output:
            nodes += made.get(name, [])
    del graph.node[:]
    graph.node.extend(nodes)
    return out, list(blocks)


def scores(x):
    """What a network gives, as probabilities."""
    x = x.astype(np.float64)
    if (x >= 0).all() and math.isclose(x.sum(), 1, abs_tol=1e-3):
        return x
    e = np.exp(x - x.max())
    return e / e.sum()


def least(blocks, run):
    """The block that changes the scores least, and by how much; run gives the scores with some switches."""
    on = np.ones(len(blocks), np.float32)
    whole, changes = scores(run(on)), {}
    for k, name in enumerate(blocks):
        off = on.copy()
        off[k] = 0
        changes[name] = float(np.abs(scores(run(off)) - whole).max())
    name = min(changes, key=changes.get)
    return name, changes[name]
