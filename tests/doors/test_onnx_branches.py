"""What an If chooses: when shapes are bound, or in a call, where it depends on values."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import assert_close, by_onnxruntime, model

import fastconv

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 3, 6, 6), np.float32)
WEIGHT = RNG.standard_normal((4, 3, 3, 3), np.float32)
POINTWISE = RNG.standard_normal((4, 4, 1, 1), np.float32)


def branch(nodes, output, name="branch", **constants):
    """A graph without inputs, of nodes (operator, inputs, outputs, attributes)."""
    made = [helper.make_node(kind, reads.split(), writes.split(), **more) for kind, reads, writes, more in nodes]
    tensors = [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()]
    return helper.make_graph(made, name, [], [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)], tensors)


def choice(condition, **more):
    """(an If that takes two ways to `b`, whose values have the same names): a convolution and a pool."""
    ways = {
        "then_branch": branch([("Conv", "r v", "t", {"pads": [1] * 4}), ("Relu", "t", "z", {})], "z", v=WEIGHT),
        "else_branch": branch([("Conv", "r w", "t", {"pads": [1] * 4}), ("Sigmoid", "t", "z", {})], "z"),
        **more,
    }
    return ("If", condition, "b", ways)


def chosen(*before, inputs=("x",), condition="c", **more):
    """Nodes before and after a choice."""
    nodes = [*before, ("Relu", "x", "r", {}), choice(condition, **more), ("Conv", "b p", "y", {})]
    shapes = {"x": ["N", 3, "H", "W"], "flag": []}
    proto = model(nodes, {"w": -WEIGHT, "p": POINTWISE, "six": np.array(6)}, inputs, shapes=shapes)
    if "flag" in inputs:
        proto.graph.input[1].type.tensor_type.elem_type = TensorProto.BOOL
    return proto


def by_shape():
    """Whether x is six pixels high."""
    return chosen(
        ("Shape", "x", "h", {"start": 2, "end": 3}),
        ("Squeeze", "h", "s", {}),
        ("Equal", "s six", "c", {}),
    )


def operations(net, *inputs):
    return [step.operation for step in net.profile(*inputs).steps]


def test_an_attention_of_a_branch_is_one_step():
    """As in the decoders that have a branch with a cache and one without."""
    attention = [("MatMul", "r t", "s", {}), ("Softmax", "s", "e", {"axis": -1}), ("MatMul", "e r", "z", {})]
    ways = {"then_branch": branch([("Transpose", "r", "t", {"perm": [0, 1, 3, 2]}), *attention], "z")}
    nodes = [("Relu", "x", "r", {}), choice("flag", else_branch=branch([("Neg", "r", "z", {})], "z"), **ways)]
    proto = model(nodes, {}, ("x", "flag"), ("b",), shapes={"x": X.shape, "flag": []})
    proto.graph.input[1].type.tensor_type.elem_type = TensorProto.BOOL
    net = fastconv.onnx.load(proto, strict=True)
    for flag in True, False:
        assert_close(net(X, np.array(flag)), by_onnxruntime(proto, X, np.array(flag)))
        assert ("Attention" in operations(net, X, np.array(flag))) == flag


def test_what_depends_on_shapes_is_chosen_when_they_are_bound():
    proto = by_shape()
    net = fastconv.onnx.load(proto, strict=True)
    for x in X, X[:1, :, :5]:
        assert_close(net(x), by_onnxruntime(proto, x))
        assert ("conv2d + sigmoid" in operations(net, x)) == (x.shape[2] != 6)


def test_what_depends_on_values_is_chosen_in_a_call():
    proto = chosen(inputs=("x", "flag"), condition="flag")
    net = fastconv.onnx.load(proto)
    for flag in True, False, True:
        for x in X, X[:1]:
            assert_close(net(x, np.array(flag)), by_onnxruntime(proto, x, np.array(flag)))
    with pytest.raises(ValueError, match="what is chosen by If 'b' depends on values of a call; profile tells"):
        net.describe(X.shape, ())
    assert "conv2d + sigmoid" in operations(net, X, np.array(False))
    assert "conv2d + sigmoid" not in operations(net, X, np.array(True))


def test_choices_within_choices():
    """One gives what is there outside, or an initializer, or what a node computes."""
    low = {"then_branch": branch([], "k", k=np.full((1, 3, 1, 1), 5, np.float32)),
           "else_branch": branch([("Neg", "x", "n", {})], "n")}  # fmt: skip
    high = {"then_branch": branch([("Identity", "x", "i", {})], "i"),
            "else_branch": branch([("If", "l", "d", low), ("Add", "d u", "z", {})], "z")}  # fmt: skip
    nodes = [
        ("Mul", "x two", "u", {}),
        ("ReduceMean", "x", "m", {"keepdims": 0}),
        ("Greater", "m zero", "c", {}),
        ("Less", "m least", "l", {}),
        ("If", "c", "b", high),
        ("Mul", "b x", "y", {}),
    ]
    constants = {"zero": np.float32(0), "least": np.float32(-3), "two": np.float32(2)}
    proto = model(nodes, constants, shapes={"x": ["N", 3, "H", "W"]})
    net = fastconv.onnx.load(proto, strict=True)
    for x in (np.abs(X), -np.abs(X), -np.abs(X) * 9, np.abs(X)):
        assert_close(net(x), by_onnxruntime(proto, x))


def test_a_branch_that_is_not_taken_may_have_anything():
    """What strict refuses, and what no shape fits."""
    proto = chosen(
        ("Shape", "x", "h", {"start": 1, "end": 2}),
        ("Squeeze", "h", "s", {}),
        ("Equal", "s six", "c", {}),
        then_branch=branch([("Atan", "r", "e", {}), ("Reshape", "e five", "z", {})], "z", five=np.array([5])),
    )
    x = X[:, :, :4]
    assert_close(fastconv.onnx.load(proto, strict=True)(x), by_onnxruntime(proto, x))


def test_a_graph_is_printed_with_its_branches():
    lines = str(fastconv.onnx.load(by_shape()).graph).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("If 'b'"))
    assert lines[start : start + 8] == [
        "If 'b': c, r, w -> b",
        "  then:",
        "    Conv 't': r, v -> t",
        "    Relu 'z': t -> z",
        "    gives z",
        "  else:",
        "    Conv 't': r, w -> t'1",
        "    Sigmoid 'z': t'1 -> z'1",
    ]


BAD = {
    "outputs": ({"then_branch": branch([("Relu", "r", "a", {})], "nothing")}, "output 'nothing' of a branch is not"),
    "nothing computes": (
        {"else_branch": branch([("Relu", "s", "z", {})], "z")},
        "Relu 'z': its input 's' is not there",
    ),
    "the other's": ({"else_branch": branch([("Relu", "v", "z", {})], "z")}, "Relu 'z': its input 'v' is not there"),
    "cycle": ({"then_branch": branch([("Relu", "y", "z", {})], "z")}, "it reads what is made of its own result"),
    "domain": (
        {"else_branch": branch([("Gelu", "r", "z", {"domain": "com.microsoft"})], "z")},
        "Gelu 'z': fastconv does not know its domain 'com.microsoft', ONNX Runtime's own, whose tools",
    ),
    "loop": ({"then_branch": branch([("Loop", "", "z", {"body": branch([], "r")})], "z")}, "Loop 'z': control flow"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_branches(name):
    more, told = BAD[name]
    with pytest.raises(ValueError, match=told):
        fastconv.onnx.load(chosen(inputs=("x", "flag"), condition="flag", **more))


def test_branches_that_do_not_fit():
    proto = chosen(inputs=("x", "flag"), condition="flag")
    proto.graph.node[1].attribute[0].g.input.append(helper.make_tensor_value_info("q", TensorProto.FLOAT, None))
    with pytest.raises(ValueError, match="If 'b': its branches must have no inputs and 1 outputs, got 1 and 1"):
        fastconv.onnx.load(proto)
    with pytest.raises(ValueError, match="If 'b': its condition must be one bool"):
        fastconv.onnx.load(chosen(condition="w"))(X)


@pytest.mark.parametrize("operator", ["Conv", "ConvTranspose"])
@pytest.mark.parametrize("change", [10, 1e-10])
def test_large_weights_that_differ_in_the_middle(operator, change):
    """Branches whose nodes have one name, and weights that print alike."""
    weight = RNG.standard_normal((12, 12, 3, 3))
    other = weight.copy()
    other[6, 6] += change
    x = RNG.standard_normal((1, 12, 5, 5)) / change
    ways = {}
    for name, values in (("then_branch", weight), ("else_branch", other)):
        node = helper.make_node(operator, ["x", "v"], ["t"], name="named")
        result = [helper.make_tensor_value_info("t", TensorProto.DOUBLE, None)]
        ways[name] = helper.make_graph([node], name, [], result, [numpy_helper.from_array(values, "v")])
    shapes = {"x": x.shape, "flag": []}
    proto = model([("If", "flag", "y", ways)], {}, ("x", "flag"), shapes=shapes, dtype=TensorProto.DOUBLE)
    proto.graph.input[1].type.tensor_type.elem_type = TensorProto.BOOL
    net = fastconv.onnx.load(proto)
    first, second = (net(x, np.array(flag)) for flag in (True, False))
    alone = fastconv.onnx.load(proto)(x, np.array(False))
    np.testing.assert_array_equal(second, alone)
    assert abs(second - first).max() > 0.5
