"""Every operator that becomes one of fastconv gives what ONNX Runtime gives, and none of NumPy's takes its place."""

import numpy as np
import onnx
import pytest
from onnx_models import assert_close, by_onnxruntime, model, one

import fastconv
from fastconv.onnx._in_numpy import elementwise

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape, np.float32)


X = normal(2, 6, 11, 13)
ROW = normal(2, 6, 19)

NATIVE = {
    "plain": ("Conv", X, (normal(8, 6, 3, 3), normal(8)), {}),
    "pads": ("Conv", X, (normal(8, 6, 3, 2),), {"pads": [0, 2, 1, 1], "strides": [2, 1]}),
    "dilated": ("Conv", X, (normal(8, 6, 3, 3),), {"pads": [2, 2, 2, 2], "dilations": [2, 2]}),
    "grouped": ("Conv", X, (normal(9, 2, 3, 3), normal(9)), {"group": 3}),
    "depthwise": ("Conv", X, (normal(6, 1, 5, 5),), {"group": 6, "pads": [2, 2, 2, 2], "strides": [2, 2]}),
    "upper": ("Conv", X, (normal(4, 6, 4, 3),), {"auto_pad": "SAME_UPPER", "strides": [2, 3]}),
    "lower": ("Conv", X, (normal(4, 6, 4, 3),), {"auto_pad": "SAME_LOWER", "strides": [2, 3]}),
    "valid": ("Conv", X, (normal(4, 6, 4, 3),), {"auto_pad": "VALID"}),
    "row": ("Conv", ROW, (normal(4, 6, 5), normal(4)), {"pads": [2, 1], "strides": [2]}),
    "row in groups": ("Conv", ROW, (normal(4, 3, 5),), {"group": 2, "dilations": [3]}),
    "max": ("MaxPool", X, (), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 0, 0]}),
    "max ceil": ("MaxPool", X, (), {"kernel_shape": [3, 2], "strides": [2, 2], "ceil_mode": 1}),
    "max same": ("MaxPool", X, (), {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"}),
    "max row": ("MaxPool", ROW, (), {"kernel_shape": [3], "strides": [2]}),
    "average": ("AveragePool", X, (), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "average counted": (
        "AveragePool",
        X,
        (),
        {"kernel_shape": [3, 3], "strides": [3, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1, "count_include_pad": 1},
    ),
    "global average": ("GlobalAveragePool", X, (), {}),
    "global max": ("GlobalMaxPool", X, (), {}),
    "mean": ("ReduceMean", X, (np.array([-1, -2]),), {"keepdims": 0}),
    "batch norm": ("BatchNormalization", X, (*normal(3, 6), np.abs(normal(6))), {"epsilon": 1e-3}),
    "lrn": ("LRN", X, (), {"size": 5, "alpha": 0.3, "beta": 0.6, "bias": 1.5}),
    "softmax": ("Softmax", X, (), {"axis": 1}),
    "softmax last": ("Softmax", X, (), {"axis": -1}),
    "softmax of rows": ("Softmax", X, (), {"axis": 2}),
    "softmax of images": ("Softmax", X, (), {"axis": 0}),
    "softmax of five axes": ("Softmax", X[:, None], (), {"axis": -2}),
    "log softmax": ("LogSoftmax", X, (), {"axis": 1}),
    "log softmax last": ("LogSoftmax", ROW, (), {"axis": -1}),
    "log softmax of rows": ("LogSoftmax", X, (), {"axis": 2}),
    "log softmax in float64": ("LogSoftmax", X[:1, None].astype(float), (), {"axis": 2}),
    "relu": ("Relu", X, (), {}),
    "leaky": ("LeakyRelu", X, (), {"alpha": 0.3}),
    "prelu": ("PRelu", X, (normal(6, 1, 1),), {}),
    "clip": ("Clip", X, (np.float32(-0.5), np.float32(0.7)), {}),
    "clip low": ("Clip", X, (np.float32(-0.5),), {}),
    "sigmoid": ("Sigmoid", X, (), {}),
    "tanh": ("Tanh", X, (), {}),
    "hard sigmoid": ("HardSigmoid", X, (), {"alpha": 0.3}),
    "hard swish": ("HardSwish", X, (), {}),
    "add": ("Add", X, (normal(6, 1, 1),), {}),
    "sub": ("Sub", X, (normal(1, 6, 1, 1),), {}),
    "mul": ("Mul", X, (normal(1),), {}),
    "div": ("Div", X, (normal(6, 1, 1),), {}),
    "square": ("Pow", X, (np.float32(2),), {}),
    "max number": ("Max", X, (np.float32(0.25),), {}),
    "pad": ("Pad", X, (np.array([0, 0, 1, 2, 0, 0, 3, 0]), np.float32(7)), {}),
    "pad channels": ("Pad", X, (np.array([0, 1, 0, 0, 0, 2, 0, 0]), np.float32(7)), {}),
    "add map": ("Add", X, (normal(11, 13),), {}),
    "channels last": ("Sub", normal(2, 5, 7, 3), (normal(3),), {}),
    "window": ("Mul", ROW, (normal(19),), {}),
    "positions": ("Sub", normal(2, 5, 7), (normal(1, 5, 7),), {}),
    "masks": ("Div", X, (normal(6, 11, 1),), {}),
    "gemm": ("Gemm", normal(5, 7), (normal(4, 7), normal(4)), {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    "matmul": ("MatMul", normal(2, 5, 7), (normal(7, 4),), {}),
    "transposed": ("ConvTranspose", X, (normal(6, 4, 3, 3), normal(4)), {"strides": [2, 3], "pads": [1, 0, 1, 1]}),
    "transposed groups": (
        "ConvTranspose", X, (normal(6, 4, 2, 3),), {"group": 3, "output_padding": [1, 0], "strides": [2, 2]}
    ),
    "transposed shape": ("ConvTranspose", X, (normal(6, 4, 3, 3),), {"output_shape": [22, 25], "strides": [2, 2]}),
    "transposed same": ("ConvTranspose", X, (normal(6, 4, 3, 3),), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "transposed row": ("ConvTranspose", ROW, (normal(6, 4, 4), normal(4)), {"strides": [2], "pads": [1, 1]}),
    "depth to space": ("DepthToSpace", normal(2, 8, 3, 5), (), {"blocksize": 2, "mode": "CRD"}),
    "blocks to space": ("DepthToSpace", normal(2, 8, 3, 5), (), {"blocksize": 2}),
    "space to depth": ("SpaceToDepth", normal(2, 3, 4, 6), (), {"blocksize": 2}),
    "reflect": ("Pad", X, (np.array([0, 0, 4, 2, 0, 0, 3, 6]),), {"mode": "reflect"}),
    "crop space": ("Pad", X, (np.array([0, 0, -1, 2, 0, 0, 3, -4]),), {}),
    "slice": ("Slice", X, (np.array([7, -1]), np.array([0, -20]), np.array([2, 3]), np.array([-2, -3])), {}),
    "nearest": ("Resize", X, (None, np.array([1, 1, 2, 1.5], np.float32)),
                {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    "linear": ("Resize", X, (None, None, np.array([2, 6, 17, 9])), {"mode": "linear"}),
    "elu": ("Elu", X, (), {"alpha": 0.4}),
    "selu": ("Selu", X, (), {}),
    "mish": ("Mish", X, (), {}),
    "softplus": ("Softplus", X, (), {}),
    "gelu tanh": ("Gelu", X, (), {"approximate": "tanh"}),
    "gelu": ("Gelu", X, (), {}),
    "erf": ("Erf", X, (), {}),
    "exp": ("Exp", X, (), {}),
    "log": ("Log", np.abs(X), (), {}),
    "sqrt": ("Sqrt", np.abs(X), (), {}),
    "abs": ("Abs", X, (), {}),
    "reciprocal": ("Reciprocal", X, (), {}),
    "celu": ("Celu", X, (), {"alpha": 0.7}),
    "cube": ("Pow", X, (np.float32(3),), {}),
    "layer norm": ("LayerNormalization", normal(2, 5, 7), (normal(7), normal(7)), {"axis": -1}),
    "layer norm alone": ("LayerNormalization", X, (normal(13),), {"axis": 3, "epsilon": 0.1}),
    "instance norm": ("InstanceNormalization", X, (normal(6), normal(6)), {}),
    "sum of channels": ("ReduceSum", X, (np.array([1]),), {}),
    "mean of channels": ("ReduceMean", X, (np.array([-1]),), {}),
    "max of channels": ("ReduceMax", ROW, (np.array([2]),), {}),
    "mean of images": ("ReduceMean", X, (np.array([1, 2, 3]),), {}),
    "sum of rows": ("ReduceSum", ROW, (np.array([-1, 1]),), {}),
    "max of images": ("ReduceMax", X, (np.array([3, 1, 2]),), {}),
    "pad rows": ("Pad", normal(2, 5, 7), (np.array([0, 1, 0, 0, 2, 0]),), {}),
    "pad last": ("Pad", normal(2, 5, 6, 3), (np.array([0, 1, 2, 0, 0, 2, 1, 0]),), {"mode": "edge"}),
    "sum": ("ReduceSum", X, (np.array([2, 3]),), {"keepdims": 0}),
    "corners": ("Resize", X, (None, None, np.array([2, 6, 17, 9])),
                {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
    "nearest half": ("Resize", X, (None, np.array([1, 1, 2, 3], np.float32)), {"mode": "nearest"}),
}  # fmt: skip


@pytest.mark.parametrize("name", NATIVE)
def test_native_operators(name):
    kind, x, constants, attributes = NATIVE[name]
    proto = one(kind, x, *constants, **attributes)
    net = fastconv.onnx.load(proto, strict=True)
    assert_close(net(x), by_onnxruntime(proto, x), 1e-5)
    told = net.describe(x.shape)
    assert all(part.isa for part in told.parts.values()), "a step by NumPy"
    assert told.layout_conversion == "none" or name != "channels last"


BINARY = {
    "map": (X.shape, X.shape), "pixel": (X.shape, (2, 6, 1, 1)), "channel": ((2, 1, 11, 13), X.shape),
    "row": (ROW.shape, (2, 6, 1)), "value": ((2, 1, 1, 1), X.shape), "a row for all": (X.shape, (2, 6, 1, 13)),
    "a column for all": ((2, 6, 11, 1), X.shape),
}  # fmt: skip


@pytest.mark.parametrize("shapes", BINARY)
@pytest.mark.parametrize("kind", ["Add", "Sub", "Mul", "Div", "Max", "Min"])
def test_native_operators_of_two_maps(kind, shapes):
    x, y = (np.abs(normal(*shape)) + 0.5 for shape in BINARY[shapes])
    nodes = [("Relu", "x", "a", {}), ("Relu", "y", "b", {}), (kind, "a b", "z", {})]
    proto = model(nodes, {}, ("x", "y"), ("z",), shapes={"x": x.shape, "y": y.shape})
    net = fastconv.onnx.load(proto, strict=True)
    assert_close(net({"x": x, "y": y}), by_onnxruntime(proto, x, y), 1e-6)
    assert all(part.isa for part in net.describe({"x": x.shape, "y": y.shape}).parts.values()), "a step by NumPy"


@pytest.mark.parametrize("kind", ["ReduceMean", "ReduceMax"])
@pytest.mark.parametrize("axis", [2, -1])
def test_rows_and_columns_of_a_map_are_reduced_in_its_graph(kind, axis):
    proto = model(
        [("Conv", "x w", "a", {}), (kind, "a axis", "y", {})], {"w": normal(6, 6, 1, 1), "axis": [axis]}, opset=18
    )
    net = fastconv.onnx.load(proto, strict=True)
    assert_close(net(X), by_onnxruntime(proto, X), 1e-6)
    assert all(part.isa for part in net.describe(X.shape).parts.values()), "a step by NumPy"


@pytest.mark.parametrize("shapes", [((1, 6, 1, 1), (1, 1, 6)), ((2, 3), (1, 2, 3)), ((1, 5), (5, 1))])
def test_tensors_of_other_axes_are_broadcast_from_the_last_on(shapes):
    x, y = (normal(*shape) for shape in shapes)
    proto = model([("Mul", "x y", "z", {})], {}, ("x", "y"), ("z",), shapes={"x": x.shape, "y": y.shape})
    np.testing.assert_array_equal(fastconv.onnx.load(proto)({"x": x, "y": y}), x * y)


@pytest.mark.parametrize("name", [name for name, (_, _, constants, _) in NATIVE.items() if constants])
def test_parameters_that_only_a_call_knows(name):
    kind, x, constants, attributes = NATIVE[name]
    names = ["x", *(f"c{i}" for i in range(len(constants)))]
    proto = one(kind, x, *constants, **attributes)
    given = [
        onnx.helper.make_tensor_value_info(n, onnx.helper.np_dtype_to_tensor_dtype(c.dtype), c.shape)
        for n, c in zip(names[1:], map(np.asarray, constants), strict=True)
    ]
    del proto.graph.initializer[:]
    proto.graph.input.extend(given)
    inputs = [x, *map(np.asarray, constants)]
    assert_close(fastconv.onnx.load(proto)(*inputs), by_onnxruntime(proto, *inputs), 1e-5)


@pytest.mark.parametrize("kind", ["Add", "Sub", "Mul", "Div", "MatMul"])
def test_constants_may_come_first(kind):
    """Also those that differ from pixel to pixel, with values that no scale has; a matrix takes columns."""
    constant = normal(8, 6) if kind == "MatMul" else normal(6, 19)
    constant[0, 1] = 0 if kind == "MatMul" else np.inf
    nodes = [("Conv", "x w", "a", {}), (kind, "c a", "b", {}), ("Relu", "b", "y", {})]
    proto = model(nodes, {"w": normal(6, 6, 1), "c": constant}, shapes={"x": ["N", 6, "W"]})
    net = fastconv.onnx.load(proto, strict=True)
    for x in ROW, ROW[:1]:
        np.testing.assert_allclose(net(x), by_onnxruntime(proto, x)[0], rtol=1e-4, atol=1e-5)
        assert all(part.isa for part in net.describe(x.shape).parts.values()), "a step by NumPy"
    is_matrix = kind == "MatMul"
    assert net.cost(ROW.shape).params == 36 + 48 if is_matrix else 36 + 114


@pytest.mark.parametrize("kind", ["Clip", "PRelu", "Pow"])
def test_numbers_that_only_a_call_knows_bind_nothing_anew(kind):
    """Such as the least value of a spectrum, which is its largest less 80."""
    x, others = X, [X.max() - 3, X.max()] if kind == "Clip" else [np.float32(2)]
    nodes = [(kind, " ".join(["x", "a", "b"][: 1 + len(others)]), "y", {})]
    names = ("x", "a", "b")[: 1 + len(others)]
    proto = model(nodes, {}, names, shapes={"x": x.shape, "a": [], "b": []})
    net = fastconv.onnx.load(proto, strict=True)
    assert_close(net(x, *others), by_onnxruntime(proto, x, *map(np.asarray, others)), 1e-6)
    assert net.profile(x, *others).steps[0].algorithm == "NumPy"


OTHERS = {
    "few last": ("ReduceMax", X[..., :3], (np.array([-1]),), {"keepdims": 0}),
    "few last kept": ("ReduceMin", X[..., :5], (np.array([3]),), {}),
    "three axes": ("Conv", normal(1, 4, 5, 6, 7), (normal(6, 2, 3, 2, 3),), {"group": 2, "strides": [1, 2, 1]}),
    "dilated max": ("MaxPool", X, (), {"kernel_shape": [3, 2], "dilations": [2, 3], "pads": [1, 1, 2, 1]}),
    "prelu map": ("PRelu", X, (normal(11, 13),), {}),
    "lp": ("LpPool", X, (), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "p": 3}),
    "cast image": ("Cast", RNG.integers(0, 256, (2, 5, 4, 3), np.uint8), (), {"to": onnx.TensorProto.FLOAT}),
    "group norm": ("GroupNormalization", X, (normal(6), normal(6)), {"num_groups": 2, "opset": 21}),
    "group norm alone": ("GroupNormalization", X, (normal(6), normal(6)), {"num_groups": 6, "opset": 21}),
    "group norm of rows": ("GroupNormalization", ROW, (normal(6), normal(6)), {"num_groups": 3, "opset": 23}),
    "group norm of groups": (
        "GroupNormalization", X, (normal(2), normal(2)), {"num_groups": 2, "opset": 18, "epsilon": 0.1}
    ),
    "crop": ("Pad", X, (np.array([0, 0, -1, 2, 0, -2, 3, -4]),), {}),
    "cubic": ("Resize", X, (None, None, np.array([2, 6, 17, 9])), {"mode": "cubic", "exclude_outside": 1}),
    "antialias": ("Resize", X, (None, None, np.array([2, 6, 5, 9])), {"mode": "linear", "antialias": 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_operators_by_numpy(name):
    kind, x, constants, attributes = OTHERS[name]
    proto = one(kind, x, *constants, **attributes)
    assert_close(fastconv.onnx.load(proto, strict=True)(x), by_onnxruntime(proto, x), 1e-5)


def test_the_codes_of_dtypes():
    found = {code: onnx.helper.tensor_dtype_to_np_dtype(code) for code in elementwise.NUMBERS}
    assert found == elementwise.NUMBERS
    assert onnx.TensorProto.FLOAT == elementwise.FLOAT


@pytest.mark.parametrize("source", ["?", "u1", "i2", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("to", ["?", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"])
def test_casts(source, to):
    """Floats are cut off, integers out of range lose their upper bits."""
    x = np.array([0, 1, 2.75, 99.5] if source.startswith("f") else [0, 1, 200, 255], source)
    if source.startswith(("i", "f")) and not to.startswith("u"):
        x = np.concatenate([x, -x])
    if source.startswith("f") and to.startswith(("?", "f")):
        x = np.concatenate([x, np.array([np.nan, np.inf], source)])
    proto = one("Cast", x, to=onnx.helper.np_dtype_to_tensor_dtype(np.dtype(to)))
    net = fastconv.onnx.load(proto, strict=True)
    (wanted,) = by_onnxruntime(proto, x)
    np.testing.assert_array_equal(net(x), wanted, strict=True)


@pytest.mark.parametrize("to", ["STRING", "BFLOAT16", "FLOAT8E5M2", "INT4"])
def test_casts_to_what_numpy_does_not_know(to):
    proto = one("Cast", X, to=getattr(onnx.TensorProto, to), opset=21)
    assert fastconv.onnx.load(proto)(X).shape == X.shape
    with pytest.raises(ValueError, match=r"Cast .* no code for this operator"):
        fastconv.onnx.load(proto, strict=True).describe(X.shape)


def test_a_group_norm_of_other_sizes():
    for groups, size, told in (4, 6, "num_groups must divide the 6"), (2, 2, r"must have shape \(6,\)"):
        proto = one("GroupNormalization", X, normal(size), normal(size), num_groups=groups, opset=21)
        with pytest.raises(ValueError, match=told):
            fastconv.onnx.load(proto)(X)


def test_split_unequally():
    x = normal(2, 8, 3)
    proto = one("Split", x, axis=1, num_outputs=3, outputs=3)
    assert [y.shape[1] for y in fastconv.onnx.load(proto)(x)] == [3, 3, 2]
    assert_close(fastconv.onnx.load(proto)(x), by_onnxruntime(proto, x))


@pytest.mark.parametrize("opset", [7, 9, 12])
def test_older_opsets(opset):
    """Softmax flattens, and batch norms take the statistics of the file."""
    weights = {
        "w": normal(4, 6, 3, 3),
        "s": normal(4),
        "b": normal(4),
        "m": normal(4),
        "v": np.abs(normal(4)),
        "g": normal(4, 36),
    }
    nodes = [
        ("Conv", "x w", "a", {}),
        ("BatchNormalization", "a s b m v", "n", {}),
        ("Dropout", "n", "d", {}),
        ("MaxPool", "d", "p", {"kernel_shape": [3, 3], "strides": [3, 3]}),
        ("Softmax", "p", "q", {}),
        ("Flatten", "q", "f", {}),
        ("Gemm", "f g", "y", {"transB": 1}) if opset > 10 else ("MatMul", "f h", "y", {}),
    ]  # fmt: skip
    weights["h"] = weights["g"].T.copy()
    proto = model(nodes, weights, opset=opset)
    assert_close(fastconv.onnx.load(proto)(X), by_onnxruntime(proto, X))
