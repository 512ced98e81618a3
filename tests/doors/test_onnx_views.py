"""Maps in shapes that no names of axes tell: what becomes a graph again, and what is read as an array, is right."""

import numpy as np
import pytest
from onnx_models import assert_close, by_onnxruntime, model

import fastconv

X = np.random.default_rng(0).standard_normal((2, 12, 4, 6)).astype(np.float32)
WEIGHT = np.random.default_rng(1).standard_normal((12, 12, 1, 1)).astype(np.float32)
ONES, ZEROS = np.ones(3, np.float32), np.zeros(3, np.float32)
CONV = ("Conv", "x w", "c", {})


def reshape(source, result, *sizes):
    return ("Reshape", f"{source} {result}_sizes", result, {}), {f"{result}_sizes": np.array(sizes)}


def made(*parts, outputs=("y",)):
    """A model of a convolution and then these nodes, each alone or with its constants."""
    nodes, constants = [CONV], {"w": WEIGHT, "ones": ONES, "zeros": ZEROS, "number": np.float32(0.5)}
    for part in parts:
        node, arrays = (part, {}) if isinstance(part[0], str) else part
        nodes.append(node)
        constants |= arrays
    return model(nodes, constants, outputs=outputs, shapes={"x": X.shape})


def by_numpy(loaded):
    return [step.operation for step in loaded.profile(X) if step.algorithm == "NumPy"]


def rearranged(*order, sizes=(0, 3, 4, 4, 6), result=(0, -1, 4, 6)):
    return made(
        reshape("c", "a", *sizes),
        ("Transpose", "a", "b", {"perm": list(order)}),
        reshape("b", "d", *result),
        ("Relu", "d", "y", {}),
    )


TOKENS = reshape("c", "a", 0, 12, -1), ("Transpose", "a", "t", {"perm": [0, 2, 1]})  # the pixels as a sequence
BACK = ("Transpose", "m", "n", {"perm": [0, 2, 1]}), reshape("n", "o", *X.shape), ("Relu", "o", "y", {})
WIDE = np.random.default_rng(2).standard_normal((12, 12)).astype(np.float32)
VECTOR = np.linspace(1, 2, 12, dtype=np.float32)


def of_tokens(*nodes, **constants):
    """Nodes that make m of t."""
    return made(
        *TOKENS, *nodes, *BACK, (("Identity", "w", "unused", {}), {"vector": VECTOR, "wide": WIDE, **constants})
    )


NATIVE = {
    "a shuffle of channels": rearranged(0, 2, 1, 3, 4),
    "space to depth": rearranged(0, 3, 5, 1, 2, 4, sizes=(0, 12, 2, 2, 3, 2), result=(0, 48, 2, 3)),
    "depth to space": rearranged(0, 3, 4, 1, 5, 2, sizes=(0, 2, 2, 3, 4, 6), result=(0, 3, 8, 12)),
    "a map of its own shape": made(reshape("c", "a", 0, 3, -1), reshape("a", "b", *X.shape), ("Relu", "b", "y", {})),
    "a group norm": made(
        reshape("c", "a", 0, 3, -1),
        ("InstanceNormalization", "a ones zeros", "b", {"epsilon": 1e-3}),
        reshape("b", "d", *X.shape),
        ("Relu", "d", "y", {}),
    ),
    "a block of a transformer": of_tokens(
        ("LayerNormalization", "t vector vector", "n1", {}),
        ("MatMul", "n1 wide", "n2", {}),
        ("Add", "vector n2", "n3", {}),
        ("Gelu", "n3", "n4", {}),
        ("Softmax", "n4", "n5", {}),
        ("Mul", "n5 vector", "n6", {}),
        ("Sub", "t n6", "m", {}),
    ),
    "a matrix of pixels": of_tokens(
        reshape("t", "rows", -1, 12), ("Gemm", "rows wide vector", "g", {"transB": 1}), reshape("g", "m", 2, -1, 12)
    ),
    "a group norm of a sequence": made(
        reshape("c", "a", 0, 12, -1),
        ("GroupNormalization", "a ones zeros", "b", {"num_groups": 3}),
        reshape("b", "d", *X.shape),
        ("Relu", "d", "y", {}),
    ),
    "functions of each value": made(
        reshape("c", "a", 2, 3, 4, 4, 6),
        ("Sigmoid", "a", "b", {}),
        ("Add", "number b", "d", {}),
        ("Tanh", "d", "e", {}),
        reshape("e", "y", *X.shape),
    ),
    "a split attention": made(
        reshape("c", "a", 0, 3, 4, 4, 6),
        ("ReduceSum", "a one", "s", {"keepdims": 0}),
        ("GlobalAveragePool", "s", "g", {}),
        ("Concat", "g g g", "h", {"axis": 1}),
        reshape("h", "i", 0, 1, 3, 4),
        ("Transpose", "i", "j", {"perm": [0, 2, 1, 3]}),
        ("Softmax", "j", "k", {"axis": 1}),
        reshape("k", "l", 0, 3, 4, 1, 1),
        ("Mul", "a l", "m", {}),
        ("ReduceSum", "m one", "n", {"keepdims": 0}),
        (("Relu", "n", "y", {}), {"one": np.array([1])}),
    ),
    "channels by numbers": made(
        ("Gather", "c order", "d", {"axis": 1}),
        ("Gather", "d rows", "e", {"axis": -2}),
        ("Gather", "e zero", "f", {"axis": 3}),
        ("Unsqueeze", "f three", "g", {}),
        (
            ("Relu", "g", "y", {}),
            {
                "order": np.arange(12)[::-1] % 5,
                "rows": np.array([-1, 0, 2]),
                "zero": np.array(0),
                "three": np.array([3]),
            },
        ),
    ),
    "a mean of a stack": made(
        ("Relu", "c", "r", {}),
        ("Unsqueeze", "c zero", "d", {}),
        ("Unsqueeze", "r zero", "e", {}),
        ("Concat", "d e", "f", {"axis": 0}),
        ("ReduceMean", "f zero", "g", {"keepdims": 0}),
        (("Relu", "g", "y", {}), {"zero": np.array([0])}),
    ),
    "a spatial attention": made(
        ("ReduceMax", "c one", "d", {"keepdims": 0}),
        ("ReduceMean", "c one", "e", {"keepdims": 0}),
        ("Unsqueeze", "d one", "f", {}),
        ("Unsqueeze", "e one", "g", {}),
        ("Concat", "f g", "h", {"axis": 1}),
        ("Conv", "h v", "i", {}),
        ("GlobalAveragePool", "c", "j", {}),
        ("Mul", "i j", "k", {}),
        (("Mul", "c k", "y", {}), {"one": np.array([1]), "v": np.ones((1, 2, 1, 1), np.float32)}),
    ),
}


@pytest.mark.parametrize("name", NATIVE)
def test_a_graph_goes_on(name):
    """No step by NumPy is left."""
    loaded = fastconv.onnx.load(NATIVE[name])
    assert_close(loaded(X), by_onnxruntime(NATIVE[name], X))
    assert by_numpy(loaded) == []


ARRAYS = {
    "a result": made(reshape("c", "y", 0, 3, 4, 4, 6)),
    "two results": made(
        reshape("c", "y", 0, 3, 4, 4, 6), ("Transpose", "y", "z", {"perm": [0, 1, 3, 4, 2]}), outputs=("y", "z")
    ),
    "a view and its map": made(reshape("c", "y", 0, 3, 4, 4, 6), ("Relu", "c", "z", {}), outputs=("y", "z", "c")),
    "a function of it": made(
        reshape("c", "a", 0, 3, 4, 4, 6), ("Transpose", "a", "b", {"perm": [0, 1, 3, 4, 2]}), ("Sigmoid", "b", "y", {})
    ),
    "with more axes than it": made(
        reshape("c", "a", 0, 3, -1),
        ("Add", "a wide", "y", {}),
        (("Identity", "w", "unused", {}), {"wide": np.ones((1,) * 5, np.float32)}),
    ),
    "with a constant for each group": made(
        reshape("c", "a", 0, 3, -1), (("Mul", "a each", "y", {}), {"each": np.array([[1], [2], [3]], np.float32)})
    ),
    "a norm of what was turned": made(
        reshape("c", "a", 0, 4, 3, -1),
        ("Transpose", "a", "b", {"perm": [0, 2, 1, 3]}),
        ("InstanceNormalization", "b ones zeros", "y", {}),
    ),
    "images and channels that change places": rearranged(2, 1, 0, 3, 4, result=(0, -1, 4, 6)),
    "rows and channels that change places": rearranged(0, 3, 2, 1, 4, result=(2, 12, 4, 6)),
    "a softmax of pixels": of_tokens(("Softmax", "t", "m", {"axis": 1})),
    "an instance norm of all images": made(
        reshape("c", "a", 1, 24, 4, 6),
        ("InstanceNormalization", "a many many", "b", {}),
        (reshape("b", "y", *X.shape)[0], {"y_sizes": np.array(X.shape), "many": np.arange(24, dtype=np.float32)}),
    ),
    "a norm of two axes": of_tokens(
        ("LayerNormalization", "t both", "m", {"axis": 1}), both=np.ones((24, 12), np.float32)
    ),
    "a product from the left": of_tokens(("MatMul", "left t", "m", {}), left=WIDE[:, :1].T.repeat(24, 0).repeat(2, 1)),
    "a constant for each pixel": of_tokens(("Add", "t each", "m", {}), each=np.arange(24, dtype=np.float32)[:, None]),
    "two orders": of_tokens(reshape("t", "s", 2, 12, 24), ("Add", "s a", "z", {}), ("Relu", "t", "m", {})),
    "two sizes": made(
        reshape("c", "a", 0, 3, -1),
        reshape("c", "b", 0, 3, 4, 24),
        ("Transpose", "b", "d", {"perm": [0, 1, 3, 2]}),
        reshape("d", "e", 0, 3, -1),
        ("Add", "a e", "y", {}),
    ),
    "boxes": made(
        reshape("c", "a", 0, 3, 4, 4, 6),
        ("Transpose", "a", "b", {"perm": [0, 3, 4, 1, 2]}),
        reshape("b", "y", 2, -1, 4),
    ),
    "a part of it": made(
        reshape("c", "a", 0, 3, 4, 4, 6), (("Gather", "a first", "y", {"axis": 1}), {"first": np.array(1)})
    ),
    "parts of it": made(
        reshape("c", "a", 0, 3, 4, 4, 6), ("Split", "a", "y z", {"axis": 1, "num_outputs": 2}), outputs=("y", "z")
    ),
    "uneven parts of groups": made(
        reshape("c", "a", 0, 3, 4, 4, 6),
        (("Split", "a counts", "y z", {"axis": 1}), {"counts": np.array([1, 2])}),
        outputs=("z", "y"),
    ),
    "a size that a call tells": made(
        reshape("c", "a", 0, 3, -1), ("NonZero", "a", "b", {}), ("Relu", "a", "z", {}), outputs=("b", "z", "a")
    ),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_is_made_where_one_is_read(name):
    loaded = fastconv.onnx.load(ARRAYS[name])
    assert_close(loaded(X), by_onnxruntime(ARRAYS[name], X))


def test_a_function_of_a_view_is_that_of_its_map():
    """YOLO's heads: five axes, of which the channels come last, and a sigmoid of all."""
    loaded = fastconv.onnx.load(ARRAYS["a function of it"])
    loaded(X)
    assert by_numpy(loaded) == ["Transpose"]
    assert loaded.describe(X.shape).macs == loaded.cost(X.shape).macs == X.size * 12
