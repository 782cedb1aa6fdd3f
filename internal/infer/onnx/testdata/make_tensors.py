"""Makes small graphs of what transformers and their like are made of, and
records what ONNX Runtime answers, as make_ops.py does.

    python make_tensors.py

writes tensors/NAME.onnx and tensors.json.
"""

import os

import numpy as np

import make_ops

make_ops.CASES.clear()
case = make_ops.case

HERE = os.path.dirname(os.path.abspath(__file__))


def tokens(g, c=6, k=2):
    """A patch embedding: 1 x tokens x channels of an image of 3 channels."""
    x = g.conv("x", 3, c, k, strides=[k, k])
    x = g.add("Reshape", x, g.ints(0, c, -1))
    return g.add("Transpose", x, perm=[0, 2, 1])


def linear(g, x, cin, cout):
    return g.add("Add", g.add("MatMul", x, g.w(cin, cout)), g.w(cout))


def heads(g, x, n, h, d):
    return g.add("Transpose", g.add("Reshape", x, g.ints(0, n, h, d)), perm=[0, 2, 1, 3])


@case((1, 3, 8, 8))
def vision_transformer_block(g):
    c, h = 32, 4
    x = tokens(g, c)
    x = g.add("Concat", g.add("Expand", g.w(1, 1, c), g.ints(1, 1, c)), x, axis=1)
    x = g.add("Add", x, g.w(1, 17, c))
    y = g.add("LayerNormalization", x, g.w(c), g.w(c), axis=-1, epsilon=1e-6)
    q, k, v = (heads(g, linear(g, y, c, c), 17, h, c // h) for _ in range(3))
    s = g.add("MatMul", q, g.add("Transpose", k, perm=[0, 1, 3, 2]))
    s = g.add("Softmax", g.add("Mul", s, g.const(0.35)), axis=-1)
    y = g.add("Reshape", g.add("Transpose", g.add("MatMul", s, v), perm=[0, 2, 1, 3]), g.ints(1, 17, c))
    x = g.add("Add", x, linear(g, y, c, c))
    y = linear(g, g.add("LayerNormalization", x, g.w(c), g.w(c), axis=-1), c, 2 * c)
    e = g.add("Erf", g.add("Div", y, g.const(2**0.5)))
    y = g.add("Mul", g.add("Mul", y, g.add("Add", e, g.const(1.0))), g.const(0.5))
    x = g.add("Add", x, linear(g, y, 2 * c, c))
    g.add("Gemm", g.add("Gather", x, g.const(0, np.int64), axis=1), g.w(5, c), g.w(5), transB=1)


@case((1, 3, 8, 8))
def fused_qkv(g):
    c, h = 12, 3
    x = g.add("Reshape", linear(g, tokens(g, c), c, 3 * c), g.ints(1, 16, 3, h, c // h))
    x = g.add("Transpose", x, perm=[2, 0, 3, 1, 4])
    q, k, v = (g.add("Gather", x, g.const(i, np.int64), axis=0) for i in range(3))
    s = g.add("Softmax", g.add("MatMul", q, g.add("Transpose", k, perm=[0, 1, 3, 2])), axis=3)
    g.add("ReduceMean", g.add("MatMul", s, v), axes=[2])


@case((1, 3, 8, 8))
def windows_shifted_and_masked(g):
    x = g.add("Transpose", g.conv("x", 3, 4, 1), perm=[0, 2, 3, 1])
    lower = g.add("Slice", x, g.ints(2), g.ints(2**63 - 1), g.ints(1))
    upper = g.add("Slice", x, g.ints(0), g.ints(2), g.ints(1))
    x = g.add("Concat", lower, upper, axis=1)
    x = g.add("Transpose", g.add("Reshape", x, g.ints(1, 2, 4, 2, 4, 4)), perm=[0, 1, 3, 2, 4, 5])
    x = g.add("Reshape", x, g.ints(-1, 16, 4))
    s = g.add("MatMul", x, g.add("Transpose", x, perm=[0, 2, 1]))
    mask = np.where(np.arange(4 * 16 * 16).reshape(4, 16, 16) % 3 == 0, -100.0, 0.0)
    s = g.add("Softmax", g.add("Add", s, g.const(mask)), axis=-1)
    x = g.add("Reshape", g.add("MatMul", s, x), g.ints(1, 2, 2, 4, 4, 4))
    x = g.add("Reshape", g.add("Transpose", x, perm=[0, 1, 3, 2, 4, 5]), g.ints(1, 8, 8, 4))
    g.conv(g.add("Transpose", x, perm=[0, 3, 1, 2]), 4, 5, 3)


@case((1, 3, 6, 5), opset=20)
def convnext_block(g):
    x = g.conv("x", 3, 8, 1)
    y = g.conv(x, 8, 8, 3, group=8, pads=[1, 1, 1, 1])
    y = g.add("Transpose", y, perm=[0, 2, 3, 1])
    y = g.add("LayerNormalization", y, g.w(8), g.w(8), axis=-1, epsilon=1e-6)
    y = linear(g, y, 8, 20)
    y = linear(g, g.add("Gelu", y), 20, 8)
    y = g.add("Transpose", g.add("Mul", g.w(8), y), perm=[0, 3, 1, 2])
    g.add("ReduceMean", g.add("Add", y, x), g.ints(2, 3), keepdims=0)


@case((1, 3, 6, 5), opset=20)
def gelu_by_tanh(g):
    g.add("Gelu", g.conv("x", 3, 8, 1), approximate="tanh")


@case((1, 3, 6, 5))
def layer_norm_decomposed(g):
    x = g.add("Transpose", g.conv("x", 3, 8, 1), perm=[0, 2, 3, 1])
    d = g.add("Sub", x, g.add("ReduceMean", x, axes=[-1]))
    v = g.add("ReduceMean", g.add("Pow", d, g.const(2.0)), axes=[-1])
    y = g.add("Div", d, g.add("Sqrt", g.add("Add", v, g.const(1e-5))))
    g.add("Add", g.add("Mul", y, g.w(8)), g.w(8))


@case((1, 3, 6, 5))
def layer_norm_over_three_axes(g):
    g.add("LayerNormalization", "x", g.w(3, 6, 5), g.w(3, 6, 5), axis=1)


@case((1, 3, 6, 5))
def global_response_norm(g):
    x = g.add("Transpose", g.conv("x", 3, 8, 1), perm=[0, 2, 3, 1])
    n = g.add("ReduceL2", x, axes=[1, 2])
    n = g.add("Div", n, g.add("Add", g.add("ReduceMean", n, axes=[-1]), g.const(1e-6)))
    g.add("Add", g.add("Add", g.w(8), g.add("Mul", g.w(8), g.add("Mul", x, n))), x)


@case((1, 8, 4, 3))
def channel_shuffle(g):
    x = g.conv("x", 8, 8, 1)
    x = g.add("Transpose", g.add("Reshape", x, g.ints(0, 2, 4, 4, 3)), perm=[0, 2, 1, 3, 4])
    g.conv(g.add("Reshape", x, g.ints(0, 8, 4, 3)), 8, 6, 1)


@case((1, 8, 4, 3))
def split_and_join(g):
    g.nodes.append(make_ops.helper.make_node("Split", [g.conv("x", 8, 8, 1), g.ints(3, 5)], ["a", "b"], axis=1))
    g.add("Concat", g.conv("b", 5, 4, 1), "a", axis=1)


@case((1, 8, 5, 3))
def slices(g):
    x = g.conv("x", 8, 8, 1)
    x = g.add("Slice", x, g.ints(-1, 1), g.ints(-9, 100), g.ints(1, 2), g.ints(-2, 2))
    g.add("Slice", x, g.ints(0), g.ints(-1), g.ints(3))


@case((1, 6, 4, 3))
def instance_norm(g):
    g.add("InstanceNormalization", "x", g.w(6), g.w(6), epsilon=1e-3)


@case((1, 6, 4, 3), opset=21)
def group_norm(g):
    g.add("GroupNormalization", "x", g.w(6), g.w(6), num_groups=3)


@case((1, 6, 4, 3))
def group_norm_by_instance_norm(g):
    x = g.add("Reshape", "x", g.ints(0, 3, -1))
    x = g.add("InstanceNormalization", x, g.const([1.0] * 3), g.const([0.0] * 3))
    x = g.add("Reshape", x, g.add("Shape", "x"))
    g.add("Add", g.add("Mul", x, g.w(6, 1, 1)), g.w(6, 1, 1))


@case((1, 6, 4, 3))
def prelu_by_channel(g):
    g.add("PRelu", "x", g.w(6, 1, 1))


@case((1, 7, 4, 3))
def local_response(g):
    g.add("LRN", "x", size=5, alpha=0.5, beta=0.75, bias=1.5)


@case((1, 4, 4, 3), opset=18, lo=-6.0, hi=6.0)
def mish_(g):
    g.add("Mish", "x")


@case((1, 4, 4, 3))
def softplus_of_exp_and_log(g):
    g.add("Log", g.add("Softplus", g.add("Exp", g.add("Abs", "x"))))


@case((1, 4, 5, 3))
def reductions(g):
    a = g.add("ReduceMax", "x", axes=[2, 3])
    b = g.add("ReduceMin", "x", axes=[-1, 2])
    c = g.add("ReduceSum", "x", g.ints(2, 3))
    d = g.add("ReduceL1", "x", axes=[2, 3])
    g.add("Concat", a, b, c, d, g.add("ReduceProd", "x", axes=[2, 3]), g.add("ReduceSumSquare", "x", axes=[2, 3]), axis=1)


@case((1, 4, 5, 3))
def pad_reflected(g):
    g.conv(g.add("Pad", "x", g.ints(0, 0, 1, 2, 0, 0, 3, 1), mode="reflect"), 4, 4, 3, group=4)


@case((1, 4, 5, 3))
def pad_by_edge_and_channels(g):
    g.add("Pad", g.add("Pad", "x", g.ints(0, 0, 1, 2, 0, 0, 3, 1), mode="edge"), g.ints(0, 1, 0, 0, 0, 2, 0, 0), g.const(0.5))


@case((1, 4, 5, 3))
def upsampled_nearest(g):
    g.add("Resize", "x", "", g.const([1, 1, 2, 2]), mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")


@case((1, 4, 5, 3))
def resized_linear(g):
    g.add("Resize", "x", "", "", g.ints(1, 4, 7, 2), mode="linear", coordinate_transformation_mode="pytorch_half_pixel")


@case((1, 4, 5, 3))
def resized_with_corners(g):
    g.add("Resize", "x", "", "", g.ints(1, 4, 3, 8), mode="linear", coordinate_transformation_mode="align_corners")


@case((1, 4, 5, 3))
def conv_transposed(g):
    g.add("ConvTranspose", "x", g.w(4, 3, 3, 2), g.w(6), group=2, strides=[2, 1], pads=[1, 0, 0, 1], output_padding=[1, 0])


@case((1, 3, 5, 4))
def same_padding_from_the_shape(g):
    h, w = (g.add("Gather", g.add("Shape", "x"), g.const(i, np.int64), axis=0) for i in (2, 3))
    pads = []
    for size in (h, w):
        out = g.add("Div", g.add("Add", size, g.const(1, np.int64)), g.const(2, np.int64))
        need = g.add("Sub", g.add("Add", g.add("Mul", g.add("Sub", out, g.const(1, np.int64)), g.const(2, np.int64)), g.const(3, np.int64)), size)
        need = g.add("Max", need, g.const(0, np.int64))
        before = g.add("Div", need, g.const(2, np.int64))
        pads.append((g.add("Unsqueeze", before, g.ints(0)), g.add("Unsqueeze", g.add("Sub", need, before), g.ints(0))))
    zero = g.ints(0)
    (top, bottom), (left, right) = pads
    g.conv(g.add("Pad", "x", g.add("Concat", zero, zero, top, left, zero, zero, bottom, right, axis=0)), 3, 4, 3, strides=[2, 2])


@case((1, 3, 4, 4))
def constants_folded(g):
    positions = g.add("Transpose", g.add("Reshape", g.w(1, 16, 6), g.ints(1, 4, 4, 6)), perm=[0, 3, 1, 2])
    positions = g.add("Reshape", g.add("Transpose", g.add("Add", positions, g.w(6, 1, 1)), perm=[0, 2, 3, 1]), g.ints(1, -1, 6))
    table = g.add("Gather", g.w(5, 6), g.const(np.arange(16) % 5, np.int64), axis=0)
    x = g.conv("x", 3, 6, 1)
    x = g.add("Transpose", g.add("Reshape", x, g.ints(0, 6, 16)), perm=[0, 2, 1])
    where = g.add("Where", g.add("Equal", g.const(np.arange(16).reshape(16, 1) % 2, np.int64), g.const(0, np.int64)), table, g.const(0.25))
    g.add("Add", g.add("Mul", x, positions), where)


@case((1, 3, 4, 4))
def biases_by_index_of_rows(g):
    table = g.add("Mul", g.add("Sigmoid", g.w(9, 3)), g.const(16.0))
    at = np.arange(256).reshape(16, 16, 1) * 7 % 9
    bias = g.add("Transpose", g.add("GatherND", table, g.const(at, np.int64), batch_dims=0), perm=[2, 0, 1])
    x = tokens(g, 4, 1)
    s = g.add("MatMul", x, g.add("Transpose", x, perm=[0, 2, 1]))
    s = g.add("Softmax", g.add("Add", g.add("Unsqueeze", s, g.ints(1)), g.add("Unsqueeze", bias, g.ints(0))), axis=-1)
    g.add("GatherND", s, g.const([[[0, 2, -1], [0, 0, 3]]], np.int64))


@case((1, 3, 8, 8))
def batch_from_a_part_of_the_shape(g):
    x = g.conv("x", 3, 6, 2, strides=[2, 2])
    n, c = g.add("Shape", "x", start=0, end=1), g.add("Shape", x, start=1, end=-2)
    x = g.add("Transpose", g.add("Reshape", x, g.add("Concat", n, c, g.ints(16), axis=0), allowzero=1), perm=[0, 2, 1])
    token = g.add("Expand", g.w(1, 1, 6), g.add("Concat", n, g.ints(1, 6), axis=0))
    x = g.add("Concat", token, x, axis=1)
    x = g.add("Reshape", x, g.add("Concat", g.add("Mul", n, g.ints(17)), g.ints(3, 2), axis=0))
    g.add("Reshape", g.add("Mul", x, g.w(3, 2)), g.add("Concat", n, g.ints(17, 6), axis=0))


@case((1, 3, 4, 4))
def softmax_over_tokens(g):
    g.add("Softmax", tokens(g, 4), axis=1)


@case((1, 5), axes="NC")
def vector_as_sequence(g):
    x = g.add("Unsqueeze", "x", g.ints(1))
    x = g.add("MatMul", g.add("Transpose", x, perm=[0, 2, 1]), x)
    g.add("ReduceSum", g.add("Div", x, g.add("Add", g.add("Neg", g.add("Neg", g.add("Sqrt", g.add("Abs", x)))), g.const(1.0))), g.ints(-1), keepdims=0)


@case((1, 3, 4, 4))
def gemm_of_rows(g):
    x = g.add("Reshape", tokens(g, 6), g.ints(-1, 6))
    x = g.add("Gemm", x, g.w(8, 6), g.w(8), transB=1, alpha=0.5, beta=2.0)
    g.add("Reshape", g.add("Gemm", g.w(4, 3), x, transA=1), g.ints(1, 3, 8))


@case((1, 4, 6, 4))
def einsum_of_two(g):
    x = g.conv("x", 4, 6, 1)
    y = g.add("Einsum", x, g.w(4, 5), equation="b c h w, w d -> b h c d")
    g.add("Einsum", y, x, equation="bhcd,bchw->bchdw")


@case((1, 3, 4, 4))
def mask_of_windows(g):
    mask = g.add("ConstantOfShape", g.ints(4, 4), value=make_ops.numpy_helper.from_array(np.zeros(1, np.float32)))
    rows = g.add("Unsqueeze", g.add("Expand", g.add("Unsqueeze", g.add("Range", *(g.const(v, np.int64) for v in (0, 4, 2))), g.ints(1)), g.ints(2, 4)), g.ints(2))
    cols = g.add("Unsqueeze", g.add("Expand", g.const([[0, 1, 2, 3]], np.int64), g.ints(2, 4)), g.ints(2))
    mask = g.add("ScatterND", mask, g.add("Concat", rows, cols, axis=2), g.const(np.ones((2, 4))))
    mask = g.add("Where", g.add("Not", g.add("Equal", mask, g.const(0.0))), g.const(-100.0), mask)
    s = g.add("Softmax", g.add("Add", g.conv("x", 3, 2, 1), mask), axis=-1)
    g.add("Add", s, g.add("Relu", g.add("Clip", g.w(2, 4, 4), g.const(-0.5), g.const(0.25))))


@case((1, 12, 4, 3))
def depth_to_space_and_back(g):
    x = g.add("DepthToSpace", g.conv("x", 12, 12, 1), blocksize=2)
    x = g.add("DepthToSpace", g.conv(x, 3, 8, 1), blocksize=2, mode="CRD")
    g.add("SpaceToDepth", x, blocksize=4)


@case((1, 4, 4, 3), lo=-3.0, hi=3.0)
def activations(g):
    parts = [g.add("Selu", "x"), g.add("Selu", "x", alpha=1.5, gamma=1.1), g.add("Celu", "x", alpha=0.7), g.add("ThresholdedRelu", "x", alpha=0.6)]
    parts += [g.add("Shrink", "x", lambd=0.8, bias=0.3), g.add("Sign", g.add("Round", "x")), g.add("Atan", "x"), g.add("Sinh", "x"), g.add("Asinh", "x")]
    unit = g.add("Div", "x", g.const(3.5))
    parts += [g.add(op, unit) for op in ("Tan", "Asin", "Acos", "Atanh", "Cosh")]
    g.add("Concat", *parts, g.add("Acosh", g.add("Add", g.add("Abs", "x"), g.const(1.5))), axis=1)


@case((1, 4, 7, 6))
def pooled_by_norms(g):
    x = g.add("LpPool", "x", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1], p=3)
    y = g.add("LpPool", "x", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
    g.add("Concat", x, y, g.add("Expand", g.add("GlobalLpPool", "x", p=1), g.ints(1, 4, 4, 3)), axis=1)


@case((1, 4, 7, 6), opset=18)
def pooled_by_norms_with_holes(g):
    g.add("LpPool", "x", kernel_shape=[2, 2], strides=[2, 2], dilations=[2, 1], ceil_mode=1)


@case((1, 4, 5, 3), lo=0.1, hi=2.0)
def logarithms_of_sums(g):
    a = g.add("ReduceLogSum", "x", axes=[2, 3])
    g.add("Concat", a, g.add("ReduceLogSumExp", "x", axes=[2, 3]), g.add("ReduceLogSumExp", g.add("Mul", "x", g.const(400.0)), axes=[-1, 2]), axis=1)


@case((1, 4, 5, 3))
def normed_by_length_and_variance(g):
    x = g.add("Concat", g.add("LpNormalization", "x", axis=1, p=2), g.add("LpNormalization", "x", axis=-1, p=1), axis=1)
    g.add("Concat", x, g.add("MeanVarianceNormalization", "x"), g.add("MeanVarianceNormalization", "x", axes=[1]), axis=1)


@case((1, 3, 4, 4), opset=23)
def attention_in_one(g):
    x = tokens(g, 8)
    y = g.add("Attention", *(linear(g, x, 8, c) for c in (12, 6, 6)), q_num_heads=4, kv_num_heads=2)
    q, k, v = (heads(g, linear(g, g.add("Add", linear(g, y, 12, 8), x), 8, 8), 4, 2, 4) for _ in range(3))
    q = g.add("Attention", q, k, v, is_causal=1, scale=0.7)
    q = g.add("Attention", q, k, v, g.const([[0.5, -1, 0, 2]] * 4))
    g.add("Attention", q, k, v, g.const([[True, False, True, True]] * 4, bool))


@case((1, 3, 4, 4), opset=23)
def root_mean_square(g):
    g.add("RMSNormalization", tokens(g, 6), g.w(6), axis=-1, epsilon=1e-4)


@case((1, 3, 5, 4))
def sums_of_several(g):
    x = g.conv("x", 3, 4, 1)
    y = g.conv("x", 3, 4, 1)
    s = g.add("Sum", x, g.add("Mean", x, y, g.w(4, 1, 1)), y)
    g.add("Max", g.add("Min", s, x, g.const(0.4)), g.const(-0.2), y)


@case((1, 3, 5, 4))
def choices_by_what_is_computed(g):
    x, y = g.conv("x", 3, 4, 1), g.conv("x", 3, 4, 1)
    f = make_ops.TensorProto.FLOAT
    above, below = g.add("Greater", x, y), g.add("LessOrEqual", x, g.const(0.1))
    both = g.add("And", above, g.add("Not", below))
    either = g.add("Or", g.add("Less", y, g.const([[[0.0]], [[0.2]], [[-0.2]], [[0.1]]])), g.const([True, False, True, False], bool))
    one = g.add("Xor", g.add("GreaterOrEqual", x, x), either)
    z = g.add("Where", both, x, g.add("Where", one, g.add("Neg", y), g.const(0.5)))
    z = g.add("Add", z, g.add("Cast", g.add("Equal", x, x), to=f))
    g.add("Mul", z, g.add("Cast", g.add("Cast", g.add("Relu", x), to=make_ops.TensorProto.BOOL), to=f))


@case((1, 3, 4, 4), lo=0.0, hi=1.0)
def softmax_of_what_is_masked(g):
    x = g.add("Where", g.add("Greater", "x", g.const(0.85)), "x", g.const(-np.inf))
    s = g.add("Softmax", x, axis=-1)
    s = g.add("Where", g.add("IsNaN", s), g.const(0.0), s)
    f = make_ops.TensorProto.FLOAT
    g.add("Add", s, g.add("Add", g.add("Cast", g.add("IsInf", x, detect_positive=0), to=f), g.add("Cast", g.add("IsInf", x, detect_negative=0), to=f)))


@case((1, 8, 4, 3))
def channel_attention_by_a_line(g):
    x = g.add("Reshape", g.add("GlobalAveragePool", "x"), g.ints(0, 1, -1))
    x = g.add("Conv", x, g.w(1, 1, 3), pads=[1, 1], kernel_shape=[3])
    g.add("Mul", "x", g.add("Reshape", g.add("Sigmoid", x), g.ints(0, -1, 1, 1)))


@case((1, 3, 8, 6))
def lines_of_tokens(g):
    x = g.add("Transpose", tokens(g, 6), perm=[0, 2, 1])
    x = g.batch_norm(g.add("Conv", x, g.w(4, 3, 2), g.w(4), group=2, strides=[1], dilations=[2], pads=[1, 2]), 4)
    x = g.add("MaxPool", g.add("Dropout", x), kernel_shape=[3], strides=[2], pads=[1, 0])
    x = g.add("AveragePool", x, kernel_shape=[2], strides=[1], auto_pad="SAME_UPPER", count_include_pad=0)
    g.add("Concat", x, g.add("GlobalAveragePool", x), g.add("GlobalMaxPool", x), axis=2)


@case((1, 3, 4, 4))
def batch_norm_of_rows(g):
    x = g.batch_norm(g.add("Reshape", tokens(g, 6), g.ints(-1, 6)), 6)
    g.add("Reshape", x, g.ints(1, -1, 6))


@case((1, 4, 5, 3))
def resized_cubic(g):
    x = g.add("Resize", "x", "", "", g.ints(1, 4, 8, 7), mode="cubic", coordinate_transformation_mode="pytorch_half_pixel")
    g.add("Resize", x, "", g.const([1, 1, 0.6, 0.4]), mode="cubic", cubic_coeff_a=-0.5, coordinate_transformation_mode="align_corners", exclude_outside=1)


@case((1, 4, 9, 8), opset=18)
def resized_with_a_filter(g):
    x = g.add("Resize", "x", "", "", g.ints(4, 5), mode="linear", antialias=1, axes=[2, 3])
    y = g.add("Resize", "x", "", "", g.ints(5, 4), mode="cubic", antialias=1, axes=[3, 2], cubic_coeff_a=-0.5)
    z = g.add("Resize", "x", "", g.const([0.5, 0.7]), mode="linear", antialias=1, axes=[2, 3], exclude_outside=1)
    g.add("Concat", x, y, z, axis=1)


@case((1, 4, 6, 4), opset=19)
def resized_about_the_middle(g):
    g.add("Resize", "x", "", g.const([1, 1, 1.3, 0.6]), mode="linear", coordinate_transformation_mode="half_pixel_symmetric")


@case((1, 4, 6, 4), opset=10)
def resized_before_version_11(g):
    x = g.add("Resize", "x", g.const([1, 1, 0.6, 1.7]), mode="nearest")
    g.add("Resize", x, g.const([1, 1, 2, 1.5]), mode="linear")


@case((1, 4, 5, 3), opset=9)
def upsampled(g):
    g.add("Upsample", g.add("Upsample", "x", g.const([1, 1, 2, 3]), mode="nearest"), g.const([1, 1, 1.5, 1]), mode="linear")


@case((1, 4, 5, 3), opset=12)
def resized_nearest_as_tensorflow(g):
    none = g.const([])
    g.add("Resize", "x", none, none, g.ints(1, 4, 8, 7), mode="nearest", coordinate_transformation_mode="tf_half_pixel_for_nn", nearest_mode="floor")


if __name__ == "__main__":
    make_ops.record("tensors", os.path.basename(__file__))
