"""Gives the scores of networks in float64, where their roundings leave more open than the bound.

    python exact.py FOLDER [NAME...]

Of each network of FOLDER (agreement.py) whose roundings leave more open than TestAgreement's
bound, each case in NAME.json receives "exact": ONNX's own reference implementation on weights and
images in float64, with PyTorch's convolution, which is the same sum and quicker.
"""

import glob
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import AttributeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

import agreement
import blocks

FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)


class Conv(OpRun):
    op_domain = ""

    def _run(self, x, w, bias=None, auto_pad=None, dilations=None, group=None, kernel_shape=None, pads=None, strides=None):
        n = x.ndim - 2
        strides, dilations, pads = list(strides or [1] * n), list(dilations or [1] * n), list(pads or [0] * 2 * n)
        if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            for i in range(n):
                reach = (w.shape[2 + i] - 1) * dilations[i] + 1
                both = max(0, (-(-x.shape[2 + i] // strides[i]) - 1) * strides[i] + reach - x.shape[2 + i])
                first = both // 2 if auto_pad == "SAME_UPPER" else both - both // 2
                pads[i], pads[n + i] = first, both - first
        around = [p for i in reversed(range(n)) for p in (pads[i], pads[n + i])]
        x, w, bias = (None if a is None else torch.from_numpy(np.array(a)) for a in (x, w, bias))
        x = torch.nn.functional.pad(x, around)
        return (torch.nn.functional.conv2d(x, w, bias, strides, 0, dilations, group or 1).numpy(),)


def widen(model):
    """Makes a network one of float64, in place."""
    for tensor in model.graph.initializer:
        widen_tensor(tensor)
    for node in model.graph.node:
        for a in node.attribute:
            if a.type == AttributeProto.TENSOR:
                widen_tensor(a.t)
            elif node.op_type == "Cast" and a.name == "to" and a.i in FLOATS:
                a.i = TensorProto.DOUBLE
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        if value.type.tensor_type.elem_type in FLOATS:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE


def widen_tensor(tensor):
    if tensor.data_type in FLOATS:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))


def exact(path, cases):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    model = onnx.load(path)
    used = {i for node in model.graph.node for i in node.input}
    widen(model)
    network = ReferenceEvaluator(model, new_ops=[Conv])
    for case in cases:
        feed = agreement.inputs(session, case["input"], case["lo"], case["hi"], used)
        got = network.run(None, {name: x.astype(np.float64) for name, x in feed.items()})[0][0]
        if got.dtype != np.float64:
            raise TypeError(f"{path}: scores are of {got.dtype}")
        want = blocks.scores(got)
        case["exact"] = want.tolist()
        print(path, case["input"], "ONNX Runtime is off by", np.abs(blocks.scores(np.array(case["scores"])) - want).max(), flush=True)


def main():
    folder, names = sys.argv[1], sys.argv[2:]
    torch.set_num_threads(1)
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        name = os.path.basename(path).removesuffix(".json")
        with open(path) as f:
            doc = json.load(f)
        wide = any(c["open"] > agreement.BOUND[0] or c["openRelative"] > agreement.BOUND[1] for c in doc["cases"])
        if names and name not in names or name.startswith("int8-") or not wide or "exact" in doc["cases"][0]:
            continue
        exact(path.removesuffix(".json") + ".onnx", doc["cases"])
        with open(path + ".new", "w") as f:
            json.dump(doc, f)
        os.replace(path + ".new", path)


if __name__ == "__main__":
    main()
