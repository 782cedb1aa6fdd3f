"""Makes small graphs, one per operator and attribute, and records what ONNX
Runtime answers.

    python make_ops.py

writes ops/NAME.onnx and ops.json. Weights and inputs come from weights.py, so
that the files hold graphs and answers only. Optimisations of ONNX Runtime are
off: the answers are those of the operators as they stand.
"""

import base64
import json
import os
import shutil

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import weights

HERE = os.path.dirname(os.path.abspath(__file__))


class Graph:
    """A graph that grows node by node from one input x."""

    def __init__(self, name, shape, axes="NCHW", opset=15, lo=-1.0, hi=1.0):
        self.name, self.shape, self.axes, self.opset = name, shape, axes, opset
        self.lo, self.hi = lo, hi
        self.nodes, self.inits, self.last, self.n = [], [], "x", 0
        self.extra_inputs = []

    def w(self, *dims):
        """A float initialiser that weights.py fills."""
        self.n += 1
        name = f"{self.name}/w{self.n}"
        self.inits.append(numpy_helper.from_array(np.zeros(dims, np.float32), name))
        return name

    def const(self, values, dtype=np.float32):
        """An initialiser that keeps its data."""
        self.n += 1
        name = f"{self.name}/c{self.n}"
        self.inits.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def ints(self, *values):
        return self.const(list(values), np.int64)

    def add(self, op, *inputs, **attrs):
        self.n += 1
        out = f"{self.name}/v{self.n}"
        self.nodes.append(helper.make_node(op, list(inputs), [out], name=f"{self.name}/{op}{self.n}", **attrs))
        self.last = out
        return out

    def conv(self, x, cin, cout, k, bias=True, group=1, **attrs):
        kh, kw = (k, k) if isinstance(k, int) else k
        inputs = [x, self.w(cout, cin // group, kh, kw)] + ([self.w(cout)] if bias else [])
        return self.add("Conv", *inputs, kernel_shape=[kh, kw], group=group, **attrs)

    def batch_norm(self, x, c, **attrs):
        return self.add("BatchNormalization", x, self.w(c), self.w(c), self.w(c), self.w(c), **attrs)

    def model(self):
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch"] + list(self.shape[1:]))]
        inputs += [helper.make_tensor_value_info(n, TensorProto.FLOAT, d) for n, d in self.extra_inputs]
        output = helper.make_tensor_value_info(self.last, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, self.name, inputs, [output], self.inits)
        m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], producer_name="make_ops.py")
        m.ir_version = 8
        return m


CASES = []


def case(shape, **kw):
    """Registers a builder; its graph is named after the function."""

    def register(fn):
        g = Graph(fn.__name__, shape, **kw)
        fn(g)
        CASES.append(g)
        return fn

    return register


def convs():
    for k, s, pads, cin, cout, h, w in [
        (1, 1, (0, 0, 0, 0), 3, 5, 5, 7),
        (1, 2, (0, 0, 0, 0), 17, 4, 7, 5),
        (3, 1, (1, 1, 1, 1), 1, 1, 5, 6),
        (3, 2, (0, 0, 1, 1), 3, 9, 8, 7),
        (3, 2, (1, 0, 0, 2), 17, 33, 7, 6),
        (5, 2, (2, 1, 2, 2), 4, 6, 9, 8),
        (7, 2, (3, 3, 3, 3), 3, 8, 12, 11),
        ((1, 7), 1, (0, 3, 0, 3), 5, 3, 4, 9),
        ((7, 1), 1, (3, 0, 3, 0), 5, 3, 9, 4),
        ((3, 1), 1, (1, 0, 1, 0), 16, 16, 3, 3),
        (3, 1, (1, 1, 1, 1), 32, 20, 1, 1),
    ]:
        kname = f"{k}x{k}" if isinstance(k, int) else f"{k[0]}x{k[1]}"
        g = Graph(f"conv_{kname}_s{s}_{cin}to{cout}_{h}x{w}", (1, cin, h, w))
        g.conv("x", cin, cout, k, strides=[s, s], pads=list(pads), bias=cout % 2 == 1)
        CASES.append(g)
    for auto in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        for k, s, h, w in [(3, 2, 8, 7), (4, 1, 5, 6), (2, 3, 7, 8)]:
            g = Graph(f"conv_{auto.lower()}_k{k}_s{s}", (1, 3, h, w))
            g.conv("x", 3, 5, k, strides=[s, s], auto_pad=auto)
            CASES.append(g)
            for op in ("MaxPool", "AveragePool"):
                if auto == "SAME_LOWER" and k == 2:
                    continue
                g = Graph(f"{op.lower()}_{auto.lower()}_k{k}_s{s}", (1, 3, h, w))
                g.add(op, "x", kernel_shape=[k, k], strides=[s, s], auto_pad=auto)
                CASES.append(g)
    for m, k, s in [(1, 3, 1), (1, 3, 2), (1, 5, 2), (2, 3, 1)]:
        for c in (3, 17):
            g = Graph(f"depthwise_k{k}_s{s}_m{m}_c{c}", (1, c, 7, 8))
            g.conv("x", c, c * m, k, group=c, strides=[s, s], pads=[k // 2] * 4)
            CASES.append(g)


@case((1, 8, 5, 6))
def conv_groups(g):
    g.conv("x", 8, 12, 3, group=4, pads=[1, 1, 1, 1])


@case((1, 4, 9, 10))
def conv_dilated(g):
    g.conv("x", 4, 6, 3, dilations=[2, 3], pads=[2, 3, 1, 0])


@case((1, 4, 6, 5))
def conv_batchnorm_relu(g):
    y = g.batch_norm(g.conv("x", 4, 7, 3, pads=[1, 1, 1, 1], bias=False), 7, epsilon=1e-3)
    g.add("Relu", y)


@case((1, 17, 5, 4))
def batchnorm_relu_conv1x1(g):
    g.conv(g.add("Relu", g.batch_norm("x", 17)), 17, 9, 1)


@case((1, 5, 5, 4))
def batchnorm_relu_conv3x3(g):
    g.conv(g.add("Relu", g.batch_norm("x", 5)), 5, 9, 3, pads=[1, 1, 1, 1])


@case((1, 17, 5, 4))
def depthwise_mul_add_clip(g):
    y = g.conv("x", 17, 17, 3, group=17, pads=[1, 1, 1, 1], bias=False)
    y = g.add("Add", g.add("Mul", y, g.w(1, 17, 1, 1)), g.w(1, 17, 1, 1))
    g.add("Clip", y, g.const(0.0), g.const(6.0))


@case((1, 4, 6, 5))
def affine_twice_with_relu_between(g):
    y = g.add("Add", g.add("Mul", "x", g.const(3.0)), g.w(4, 1, 1))
    y = g.add("Relu", y)
    y = g.add("Sub", g.const(0.5), g.add("Div", y, g.const(1.5)))
    g.add("Sub", y, g.w(1, 4, 1, 1))


@case((1, 6, 5, 3), axes="NHWC")
def nhwc_channel_constant(g):
    g.add("Transpose", g.add("Add", g.add("Mul", "x", g.w(3)), g.w(1, 1, 1, 3)), perm=[0, 3, 1, 2])


@case((1, 7, 6, 3), axes="NHWC")
def transpose_conv_transpose(g):
    y = g.conv(g.add("Transpose", "x", perm=[0, 3, 1, 2]), 3, 5, 3, strides=[2, 2], pads=[0, 0, 1, 1])
    g.add("Transpose", y, perm=[0, 2, 3, 1])


@case((1, 4, 6, 7))
def relu(g):
    g.add("Relu", "x")


@case((1, 4, 3, 7), lo=-5.0, hi=5.0)
def sigmoid(g):
    g.add("Sigmoid", "x")


@case((1, 4, 3, 7), lo=-5.0, hi=5.0)
def tanh_(g):
    g.add("Tanh", "x")


@case((1, 4, 3, 7), lo=-5.0, hi=5.0)
def elu(g):
    g.add("Elu", "x", alpha=1.25)


@case((1, 4, 3, 7), lo=-5.0, hi=5.0)
def leaky_relu(g):
    g.add("LeakyRelu", "x", alpha=0.2)


@case((1, 4, 3, 7), lo=-5.0, hi=5.0)
def hard_sigmoid(g):
    g.add("HardSigmoid", "x", alpha=1 / 6, beta=0.5)


@case((1, 4, 3, 7), lo=-5.0, hi=5.0)
def hard_swish(g):
    g.add("HardSwish", "x")


@case((1, 3, 5, 4), lo=-3.0, hi=3.0)
def silu_after_conv(g):
    y = g.conv("x", 3, 6, 1)
    g.add("Mul", y, g.add("Sigmoid", y))


@case((1, 3, 5, 4), lo=-3.0, hi=3.0)
def hard_swish_as_keras_writes_it(g):
    y = g.conv("x", 3, 6, 3, pads=[1, 1, 1, 1])
    t = g.add("Clip", g.add("Add", y, g.const(3.0)), g.const(0.0), g.const(6.0))
    g.add("Mul", g.add("Mul", t, g.const(0.1666667)), y)


@case((1, 3, 5, 7), opset=10)
def clip_attributes(g):
    g.add("Clip", "x", min=-0.25, max=0.5)


@case((1, 3, 5, 7))
def clip_without_maximum(g):
    g.add("Clip", "x", g.const(0.1))


@case((1, 5, 6, 7))
def residual_add_relu(g):
    y = g.conv(g.add("Relu", g.conv("x", 5, 5, 3, pads=[1, 1, 1, 1])), 5, 5, 1)
    g.add("Relu", g.add("Add", y, "x"))


@case((1, 5, 6, 7))
def residual_of_two_convs(g):
    a = g.conv("x", 5, 8, 1, strides=[2, 2])
    b = g.conv(g.add("Relu", g.conv("x", 5, 4, 3, pads=[1, 1, 1, 1], strides=[2, 2])), 4, 8, 1)
    y = g.add("Add", a, b)
    g.add("Add", g.conv(g.add("Relu", y), 8, 8, 3, pads=[1, 1, 1, 1], group=8), y)


@case((1, 6, 5, 4))
def squeeze_and_excitation(g):
    y = g.conv("x", 6, 6, 3, pads=[1, 1, 1, 1], group=6)
    s = g.add("GlobalAveragePool", y)
    s = g.add("Relu", g.conv(s, 6, 2, 1))
    s = g.add("Sigmoid", g.conv(s, 2, 6, 1))
    g.conv(g.add("Mul", y, s), 6, 9, 1)


@case((1, 4, 5, 6))
def gate_comes_first(g):
    s = g.add("HardSigmoid", g.add("ReduceMean", "x", axes=[2, 3], keepdims=1))
    g.add("Mul", s, "x")


@case((1, 6, 5, 4))
def subtract_tensors(g):
    g.add("Sub", g.conv("x", 6, 6, 1), "x")


@case((1, 16, 5, 4))
def concat_aligned_chain(g):
    y = "x"
    c = 16
    y = g.conv(y, 16, 16, 1)
    for _ in range(3):
        t = g.add("Relu", g.batch_norm(y, c))
        t = g.conv(g.add("Relu", g.conv(t, c, 8, 1)), 8, 16, 3, pads=[1, 1, 1, 1], bias=False)
        y = g.add("Concat", y, t, axis=1)
        c += 16
    g.conv(y, c, 5, 3, pads=[1, 1, 1, 1])


@case((1, 3, 5, 4))
def concat_unaligned(g):
    a = g.conv("x", 3, 5, 1)
    b = g.conv("x", 3, 17, 3, pads=[1, 1, 1, 1])
    c = g.add("MaxPool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    y = g.add("Concat", a, b, c, "x", axis=1)
    g.add("Concat", y, a, y, axis=-3)


@case((1, 3, 9, 8))
def max_pool_pads_and_strides(g):
    g.add("MaxPool", "x", kernel_shape=[3, 2], strides=[2, 3], pads=[0, 1, 1, 0])


@case((1, 3, 9, 8), lo=-2.0, hi=-1.0)
def max_pool_of_negative_numbers_after_zero_pad(g):
    y = g.add("Pad", "x", g.ints(0, 0, 1, 1, 0, 0, 1, 1), g.const(0.0))
    g.add("MaxPool", y, kernel_shape=[3, 3], strides=[2, 2])


@case((1, 3, 8, 9))
def max_pool_ceil(g):
    g.add("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)


@case((1, 3, 12, 9))
def max_pool_dilated(g):
    g.add("MaxPool", "x", kernel_shape=[3, 3], strides=[1, 2], dilations=[2, 2], pads=[1, 1, 1, 1])


@case((1, 3, 8, 9))
def average_pool_pads(g):
    g.add("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1])


@case((1, 3, 8, 9))
def average_pool_pads_count(g):
    g.add("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 0, 1, 2], strides=[2, 2], count_include_pad=1)


@case((1, 3, 8, 10))
def average_pool_ceil(g):
    g.add("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)


@case((1, 17, 6, 5))
def global_average_pool_dense_softmax(g):
    y = g.add("Squeeze", g.add("GlobalAveragePool", "x"), g.ints(2, 3))
    g.add("Softmax", g.add("Add", g.add("MatMul", y, g.w(17, 10)), g.w(10)))


@case((1, 4, 6, 5))
def global_max_pool(g):
    g.add("GlobalMaxPool", "x")


@case((1, 6, 5, 9), axes="NHWC")
def reduce_mean_nhwc(g):
    y = g.conv(g.add("Transpose", "x", perm=[0, 3, 1, 2]), 9, 4, 1)
    y = g.add("ReduceMean", g.add("Transpose", y, perm=[0, 2, 3, 1]), axes=[1, 2], keepdims=0)
    g.add("Gemm", y, g.w(4, 6), g.w(6))


@case((1, 9, 6, 5), opset=18)
def reduce_mean_opset18(g):
    y = g.add("ReduceMean", g.conv("x", 9, 4, 1), g.ints(-1, -2), keepdims=1)
    g.add("Reshape", y, g.ints(-1, 1, 1, 4))


@case((1, 3, 5, 4), opset=18)
def pad_with_axes(g):
    y = g.add("Pad", "x", g.ints(1, 0, 0, 2), g.const(0.25), g.ints(3, 2))
    g.conv(y, 3, 4, 3)


@case((1, 3, 5, 4))
def pad_folds_into_conv(g):
    y = g.add("Pad", "x", g.ints(0, 0, 0, 1, 0, 0, 1, 2))
    g.conv(y, 3, 4, 3, strides=[2, 2], pads=[1, 0, 0, 0])


@case((1, 5, 4, 3), axes="NHWC")
def flatten_nhwc_dense(g):
    y = g.add("Add", "x", g.const(0.5))
    y = g.add("Reshape", y, g.ints(-1, 60))
    g.add("Relu", g.add("Add", g.add("MatMul", y, g.w(60, 7)), g.w(7)))


@case((1, 3, 5, 4))
def flatten_nchw_gemm(g):
    y = g.add("Flatten", g.conv("x", 3, 6, 3))
    y = g.add("LeakyRelu", g.add("Gemm", y, g.w(9, 36), g.w(9), transB=1))
    g.add("Softmax", g.add("Gemm", y, g.w(9, 5), g.w(1, 5), alpha=0.5, beta=2.0), axis=-1)


@case((1, 3, 5, 4))
def flatten_by_computed_shape(g):
    y = g.conv("x", 3, 6, 3)
    batch = g.add("Unsqueeze", g.add("Gather", g.add("Shape", y), g.const(0, np.int64), axis=0), g.ints(0))
    y = g.add("Reshape", y, g.add("Concat", batch, g.ints(-1), axis=0))
    g.add("MatMul", y, g.w(36, 4))


@case((1, 9, 1, 1))
def reshape_to_image_and_back(g):
    y = g.add("Reshape", g.add("Flatten", "x"), g.ints(-1, 9, 1, 1))
    y = g.add("Unsqueeze", g.add("Squeeze", g.conv(y, 9, 4, 1), g.ints(2, 3)), g.ints(1, 2))
    g.add("Dropout", g.add("Identity", y))


@case((1, 7), axes="NC")
def dense_only(g):
    g.add("Tanh", g.add("Gemm", "x", g.w(7, 5), g.w(5)))


def quantise(g, x, scale, zero, dtype=np.uint8):
    """Rounds a value as an int8 model does: QuantizeLinear, then DequantizeLinear."""
    s, z = g.const(scale), g.const(zero, dtype)
    return g.add("DequantizeLinear", g.add("QuantizeLinear", x, s, z), s, z)


@case((1, 4, 3, 7), lo=-3.0, hi=3.0)
def quantise_uint8(g):
    quantise(g, "x", 0.0125, 100)


@case((1, 4, 3, 7), lo=-3.0, hi=3.0)
def quantise_int8(g):
    quantise(g, "x", 0.03125, -7, np.int8)


@case((1, 4, 3, 7), lo=-64.0, hi=64.0)
def quantise_halves_to_even(g):
    half = quantise(g, "x", 0.25, 0, np.int8)  # whole quarters
    s = g.const(0.5)
    g.add("DequantizeLinear", g.add("QuantizeLinear", half, s), s)  # without a zero point


@case((1, 3, 6, 7))
def quantised_conv_per_channel(g):
    x = quantise(g, "x", 1 / 127, 128)
    rng = np.random.default_rng(7)
    w, scales = g.const(rng.integers(-127, 128, (5, 3, 3, 3)), np.int8), g.const(rng.uniform(0.001, 0.003, 5))
    w = g.add("DequantizeLinear", w, scales, g.const(np.zeros(5), np.int8), axis=0)
    b = g.add("DequantizeLinear", g.const(rng.integers(-20000, 20000, 5), np.int32), g.const(1e-5), axis=0)
    y = g.add("Conv", x, w, b, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    y = quantise(g, g.add("Relu", y), 0.004, 0)
    y = quantise(g, g.add("MaxPool", y, kernel_shape=[2, 2], strides=[2, 2]), 0.004, 0)
    y = quantise(g, g.add("GlobalAveragePool", y), 0.003, 3)
    w = g.add("DequantizeLinear", g.const(rng.integers(0, 256, (4, 5)), np.uint8), g.const(rng.uniform(0.01, 0.02, 4)), g.const([120, 128, 130, 99], np.uint8), axis=-2)
    g.add("Gemm", g.add("Flatten", y), w, g.const([0.1, 0.2, -0.1, 0.0]), transB=1)


def whole_weights(g, rng, shape, low=-127, high=128, dtype=np.int8, zero=0):
    """Weights as integers, dequantised; with a scale per channel where the file keeps so many."""
    per_channel = shape[0] <= weights.KEEP
    n = shape[0] if per_channel else 1
    scales = rng.uniform(0.001, 0.003, n)
    zeros = np.full(n, zero)
    if not per_channel:
        scales, zeros = scales[0], zeros[0]
    return g.add("DequantizeLinear", g.const(rng.integers(low, high, shape), dtype), g.const(scales), g.const(zeros, dtype), axis=0)


@case((1, 3, 9, 8))
def quantised_stem_and_depthwise_int8(g):
    rng = np.random.default_rng(11)
    x = quantise(g, g.add("Pad", "x", g.ints(0, 0, 1, 2, 0, 0, 2, 1)), 1 / 127, 3, np.int8)
    y = g.add("Clip", g.add("Conv", x, whole_weights(g, rng, (14, 3, 3, 3)), g.w(14), kernel_shape=[3, 3], strides=[2, 2]), g.const(0.0), g.const(0.6))
    y = quantise(g, y, 0.6 / 255, -128, np.int8)
    y = g.add("Conv", y, whole_weights(g, rng, (14, 1, 3, 3)), g.w(14), kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=14)
    y = g.add("Add", g.add("Mul", y, g.w(1, 14, 1, 1)), g.w(1, 14, 1, 1))  # a batch norm in floats
    y = quantise(g, g.add("Relu", y), 0.005, 0)
    quantise(g, g.add("Conv", y, whole_weights(g, rng, (35, 14, 1, 1)), kernel_shape=[1, 1]), 0.01, 120)


@case((1, 16, 5, 6))
def quantised_dense_block(g):
    rng = np.random.default_rng(12)
    x = quantise(g, "x", 1 / 127, 128)
    y = quantise(g, g.add("Conv", x, whole_weights(g, rng, (16, 16, 3, 3)), kernel_shape=[3, 3], pads=[1, 1, 1, 1]), 0.02, 100)
    z = quantise(g, g.add("Concat", x, y, axis=1), 0.02, 100)
    n = g.add("Relu", g.add("Add", g.add("Mul", z, g.w(1, 32, 1, 1)), g.w(1, 32, 1, 1)))
    n = g.add("Conv", quantise(g, n, 0.015, 2), whole_weights(g, rng, (33, 32, 1, 1)), g.w(33), kernel_shape=[1, 1])
    z = quantise(g, g.add("Concat", quantise(g, n, 0.02, 100), z, axis=1), 0.02, 100)
    quantise(g, g.add("AveragePool", z, kernel_shape=[3, 3], strides=[2, 2]), 0.02, 100)  # ninths are no halves


@case((1, 8, 6, 6))
def quantised_residuals(g):
    rng = np.random.default_rng(13)
    x = quantise(g, "x", 1 / 127, 128)
    y = quantise(g, g.add("Conv", x, whole_weights(g, rng, (8, 8, 1, 1)), kernel_shape=[1, 1]), 0.01, 130)
    y = quantise(g, g.add("Relu", g.add("Add", x, y)), 0.008, 0)  # of integers
    z = g.add("Conv", y, whole_weights(g, rng, (8, 8, 3, 3)), g.w(8), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    z = quantise(g, g.add("Relu", g.add("Add", z, y)), 0.02, 0)  # floats added to integers
    g.add("Sigmoid", g.add("Conv", z, whole_weights(g, rng, (4, 8, 1, 1)), kernel_shape=[1, 1]))


@case((1, 10), axes="NC")
def quantised_gemm_of_uint8(g):
    rng = np.random.default_rng(14)
    x = quantise(g, "x", 1 / 127, 128)
    y = g.add("Gemm", x, whole_weights(g, rng, (40, 10), 0, 256, np.uint8, 128), g.w(40), transB=1, alpha=1.5)
    y = quantise(g, g.add("Relu", y), 0.01, 0)
    # A product with zero points that leave int8 stays in floats.
    g.add("MatMul", y, g.add("DequantizeLinear", g.const(rng.integers(0, 256, (40, 3)), np.uint8), g.const(0.002), g.const(90, np.uint8)))


@case((1, 3, 4, 5))
def quantised_weights_in_float(g):
    s = g.const([0.01, 0.02], np.float32)
    z = g.const([0, 0], np.int8)
    w = g.add("DequantizeLinear", g.add("QuantizeLinear", g.w(2, 3, 1, 1), s, z, axis=0), s, z, axis=0)
    g.add("Conv", "x", w, kernel_shape=[1, 1])


@case((1, 5, 4, 6), opset=12)
def softmax_channels_before_13(g):
    y = g.add("Flatten", g.add("GlobalAveragePool", g.conv("x", 5, 8, 1)))
    g.add("Softmax", y)


@case((1, 3, 4, 6))
def softmax_channels_of_image(g):
    g.add("Softmax", "x", axis=1)


@case((1, 3, 6, 6))
def unused_inputs_are_ignored(g):
    g.extra_inputs.append(("unused", [1, 1, 1, 3]))
    g.conv("x", 3, 4, 3)


@case((1, 3, 6, 6))
def constant_nodes(g):
    g.nodes.append(helper.make_node("Constant", [], ["half"], value=numpy_helper.from_array(np.float32(0.5))))
    g.nodes.append(helper.make_node("Constant", [], ["two"], value_float=2.0))
    g.add("Mul", g.add("Add", "x", "half"), "two")


def main():
    convs()
    record("ops", "make_ops.py")


def record(kind, script):
    """Writes the graphs of CASES to a folder, and the answers beside it."""
    folder = os.path.join(HERE, kind)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    answers = []
    for g in CASES:
        model = weights.strip(g.model())
        with open(os.path.join(folder, g.name + ".onnx"), "wb") as f:
            f.write(model.SerializeToString())
        model = weights.fill(model)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        count = int(np.prod(g.shape))
        feed = {"x": weights.uniform(g.name + "/x", count, g.lo, g.hi).reshape(g.shape)}
        for name, dims in g.extra_inputs:
            feed[name] = np.zeros(dims, np.float32)
        (y,) = session.run(None, feed)
        answers.append(
            {
                "name": g.name,
                "axes": g.axes,
                "shape": list(g.shape),
                "lo": g.lo,
                "hi": g.hi,
                "dims": list(y.shape),
                "output": base64.b64encode(y.astype("<f4").tobytes()).decode(),
            }
        )
    with open(os.path.join(HERE, kind + ".json"), "w") as f:
        made = f"{script}: onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, numpy {np.__version__}"
        f.write('{"made_by": ' + json.dumps(made) + ', "cases": [\n')
        f.write(",\n".join(json.dumps(a) for a in answers))
        f.write("\n]}\n")
    print(len(answers), "graphs")


if __name__ == "__main__":
    main()
