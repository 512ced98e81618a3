"""Models in float16: computed in float32, results rounded once."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import by_onnxruntime, model

import fastconv

RNG = np.random.default_rng(0)
HALF, FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT
W, B = RNG.standard_normal((5, 3, 3, 3)).astype(np.float16), RNG.standard_normal(5).astype(np.float16)
X = RNG.standard_normal((2, 3, 9, 8)).astype(np.float16)
LAYERS = [
    ("Conv", "x w b", "c", {}),
    ("Sigmoid", "c", "s", {}),
    ("Mul", "c s", "m", {}),
    ("Softmax", "m", "y", {"axis": 1}),
]


def typed(proto, *types):
    """The model with these types of its outputs."""
    for info, kind in zip(proto.graph.output, types, strict=True):
        info.type.tensor_type.elem_type = kind
    return proto


def wide(layers=LAYERS, **constants):
    """What the same model gives in float32."""
    constants = {name: array.astype(np.float32) for name, array in (constants or {"w": W, "b": B}).items()}
    return fastconv.onnx.load(model(layers, constants))(X.astype(np.float32))


def test_a_network_in_halves():
    proto = typed(model(LAYERS, {"w": W, "b": B}, dtype=HALF), HALF)
    net = fastconv.onnx.load(proto, strict=True)
    y = net(X)
    assert y.dtype == np.float16
    np.testing.assert_array_equal(y, wide().astype(np.float16))
    np.testing.assert_allclose(y, by_onnxruntime(proto, X)[0], atol=4e-3)
    by_numpy = [part for name, part in net.describe(X.shape).parts.items() if not part.isa]
    assert len(by_numpy) == 2, "the conversions alone"
    with pytest.raises(TypeError, match="x must have dtype float16"):
        net(X.astype(np.float32))


def test_constants_of_nodes_and_conversions_inside():
    weight = helper.make_node("Constant", [], ["w"], value=onnx.numpy_helper.from_array(W))
    nodes = [(weight, None, None, None), ("Cast", "x", "h", {"to": HALF}), ("Conv", "h w", "c", {})]
    proto = typed(model([*nodes, ("Cast", "c", "y", {"to": FLOAT})], {}), FLOAT)
    y = fastconv.onnx.load(proto, strict=True)(X.astype(np.float32))
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, wide([("Conv", "x w", "y", {})], w=W))


def test_outputs_that_others_read_and_inputs_that_are_initializers_too():
    layers = [("Conv", "x w", "c", {}), ("Relu", "c", "y", {})]
    proto = typed(model(layers, {"w": W}, ("x", "w"), ("c", "y"), dtype=HALF), HALF, HALF)
    net = fastconv.onnx.load(proto)
    want = wide([("Conv", "x w", "y", {})], w=W)
    for got, exact in zip(net(X), (want, np.maximum(want, 0)), strict=True):
        np.testing.assert_array_equal(got, exact.astype(np.float16))
    for got in net({"x": X, "w": -W}):
        assert got.dtype == np.float16
    np.testing.assert_array_equal(net({"x": X, "w": -W})[0], (-want).astype(np.float16))


def test_branches_in_halves():
    def branch(name):
        node = helper.make_node(name, ["c"], [f"{name} of c"])
        return helper.make_graph([node], name, [], [helper.make_tensor_value_info(f"{name} of c", HALF, None)])

    chosen = helper.make_node("If", ["which"], ["y"], then_branch=branch("Neg"), else_branch=branch("Relu"))
    layers = [("Conv", "x w", "c", {}), (chosen, None, None, None)]
    for which in (True, False):
        proto = typed(model(layers, {"w": W, "which": np.array(which)}, dtype=HALF), HALF)
        y, want = fastconv.onnx.load(proto)(X), wide([("Conv", "x w", "y", {})], w=W)
        np.testing.assert_array_equal(y, (-want if which else np.maximum(want, 0)).astype(np.float16))


def test_a_branch_whose_initializer_has_the_name_of_an_input():
    def branch(result):
        info = helper.make_tensor_value_info(result, HALF, None)
        factor = onnx.numpy_helper.from_array(np.float16(3), "x")
        return helper.make_graph([helper.make_node("Mul", ["c", "x"], [result])], result, [], [info], [factor])

    chosen = helper.make_node("If", ["which"], ["y"], then_branch=branch("a"), else_branch=branch("b"))
    layers = [("Conv", "x w", "c", {}), (chosen, None, None, None)]
    proto = typed(model(layers, {"w": W, "which": np.array(True)}, dtype=HALF), HALF)
    want = wide([("Conv", "x w", "y", {})], w=W)
    np.testing.assert_array_equal(fastconv.onnx.load(proto)(X), (3 * want).astype(np.float16))


def with_constant(tensor, **options):
    """A convolution whose weight is what a node gives."""
    node = helper.make_node("Constant", [], ["w"], **(options or {"value": tensor}))
    return typed(model([(node, None, None, None), ("Conv", "x w", "y", {})], {}, dtype=HALF), HALF)


def test_constants_of_nodes_in_a_file_of_their_own(tmp_path):
    tensor = onnx.numpy_helper.from_array(W, "w")
    onnx.external_data_helper.set_external_data(tensor, "w.data")
    tensor.ClearField("raw_data")
    proto, path = with_constant(tensor), tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    (tmp_path / "w.data").write_bytes(W.tobytes())
    want = wide([("Conv", "x w", "y", {})], w=W)
    np.testing.assert_array_equal(fastconv.onnx.load(path)(X), want.astype(np.float16))
    with pytest.raises(ValueError, match="Constant 'w': attribute 'value' lies in a file of its own"):
        fastconv.onnx.load(path.read_bytes())


def test_constants_of_nodes_that_cannot_be_read():
    tensor = onnx.numpy_helper.from_array(W, "w")
    tensor.dims[0] += 2
    with pytest.raises(ValueError, match=r"Constant 'w': attribute 'value' of shape \(7, 3, 3, 3\) cannot be read"):
        fastconv.onnx.load(with_constant(tensor))


def test_sparse_constants_of_nodes():
    indices = np.arange(W.size)
    made = onnx.numpy_helper.from_array(W.ravel()), onnx.numpy_helper.from_array(indices)
    sparse = helper.make_sparse_tensor(*made, W.shape)
    want = wide([("Conv", "x w", "y", {})], w=W)
    y = fastconv.onnx.load(with_constant(None, sparse_value=sparse), strict=True)(X)
    np.testing.assert_array_equal(y, want.astype(np.float16))


@pytest.mark.parametrize("kind", ["DequantizeLinear", "Attention"])
def test_types_that_attributes_name(kind):
    """What they say is float16 is float32, too: only the result is rounded."""
    if kind == "Attention":
        many = helper.make_node(kind, ["c", "c", "c"], ["y"], softmax_precision=HALF)
        layers, constants = [("Conv", "x w", "c", {}), (many, None, None, None)], {"w": W}
    else:
        scaled = helper.make_node(kind, ["bytes", "scale"], ["d"], output_dtype=HALF)
        layers = [("Conv", "x w", "c", {}), (scaled, None, None, None), ("Mul", "c d", "y", {})]
        constants = {"w": W, "bytes": np.uint8([[33]]), "scale": np.float32(0.1)}
    proto = typed(model(layers, constants, dtype=HALF, opset=23), HALF)
    for node in (wider := onnx.ModelProto.FromString(proto.SerializeToString())).graph.node:
        for attribute in node.attribute:
            attribute.i = FLOAT if attribute.i == HALF else attribute.i
    wider.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(W.astype(np.float32), "w"))
    wider.graph.input[0].type.tensor_type.elem_type = wider.graph.output[0].type.tensor_type.elem_type = FLOAT
    want = fastconv.onnx.load(wider)(X.astype(np.float32))
    np.testing.assert_array_equal(fastconv.onnx.load(proto)(X), want.astype(np.float16))


def test_bits_of_numbers_are_those_of_the_file():
    layers = [("Conv", "x w", "c", {}), ("BitCast", "c", "y", {"to": TensorProto.UINT16})]
    proto = typed(model(layers, {"w": W}, dtype=HALF, opset=26), TensorProto.UINT16)
    y = fastconv.onnx.load(proto)(X).view(np.float16)
    want = wide([("Conv", "x w", "y", {})], w=W)
    np.testing.assert_allclose(y, want, atol=np.finfo(np.float16).eps * np.abs(want).max())


def test_the_file_stays_as_it_was():
    proto = typed(model(LAYERS, {"w": W, "b": B}, dtype=HALF), HALF)
    before = proto.SerializeToString()
    fastconv.onnx.load(proto)(X)
    assert proto.SerializeToString() == before
