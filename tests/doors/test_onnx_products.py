"""Products of matrices that only a run knows, as attention has them: of any strides, with the model's own threads."""

import numpy as np
import pytest
from onnx import numpy_helper
from onnx_models import DOUBLE, FLOAT, by_onnxruntime, model

import fastconv

RNG = np.random.default_rng(0)


def product(*before):
    """x @ y, after other nodes that give a and b."""
    return model([*before, ("MatMul", "a b", "z", {})], {}, ("x", "y"), ("z",))


PLAIN = ("Identity", "x", "a", {}), ("Identity", "y", "b", {})
HEADS = [("Transpose", name, to, {"perm": [0, 2, 1, 3]}) for name, to in ("xa", "yb")]
SHAPES = {
    "matrices": ((70, 50), (50, 90), PLAIN),
    "stacks": ((2, 3, 40, 70), (2, 3, 70, 50), PLAIN),
    "one for all": ((2, 3, 40, 70), (70, 50), PLAIN),
    "broadcast": ((2, 1, 40, 70), (3, 70, 50), PLAIN),
    "heads": ((2, 40, 3, 70), (2, 70, 3, 50), HEADS),
    "keys": ((2, 40, 3, 64), (2, 50, 3, 64), [HEADS[0], ("Transpose", "y", "b", {"perm": [0, 2, 3, 1]})]),
    "columns first": ((300, 40), (300, 50), [("Transpose", "x", "a", {}), PLAIN[1]]),
    "every other": ((40, 600), (300, 50), [("Slice", "x zero far last two", "a", {}), PLAIN[1]]),
    "a row": ((3, 1, 900), (3, 900, 100), PLAIN),
    "a column": ((3, 300, 400), (3, 400, 1), PLAIN),
    "inner of one": ((3, 300, 1), (3, 1, 400), PLAIN),
    "many rows": ((2000, 30), (30, 20), PLAIN),
    "small": ((5, 2, 3), (5, 3, 4), PLAIN),
    "a vector": ((3, 40, 70), (70,), PLAIN),
    "nothing": ((3, 0, 70), (3, 70, 50), PLAIN),
}


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", SHAPES)
def test_products(name, dtype):
    first, second, before = SHAPES[name]
    x, y = (RNG.standard_normal(shape).astype(dtype) for shape in (first, second))
    proto = product(*before)
    for key, value in {"zero": [0], "far": [2**31], "last": [1], "two": [2]}.items():
        proto.graph.initializer.append(constant(key, value))
    set_inputs(proto, FLOAT if dtype == "f4" else DOUBLE)
    found = [fastconv.onnx.load(proto, strict=True, num_threads=n)(x, y) for n in (1, 2, 3)]
    set_inputs(proto, DOUBLE)
    exact, sizes, terms = (
        by_onnxruntime(proto, *(of(v.astype("f8")) for v in (x, y)))[0] for of in (np.positive, np.abs, np.ones_like)
    )
    assert found[0].shape == exact.shape
    assert (np.abs(found[0] - exact) <= 2 * terms * np.finfo(dtype).eps * sizes).all()
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)


def set_inputs(proto, element):
    for given in proto.graph.input:
        given.type.tensor_type.elem_type = element


def constant(name, values):
    return numpy_helper.from_array(np.array(values), name)


def test_products_are_told_and_keep_what_is_no_number():
    net, x, y = fastconv.onnx.load(product(*PLAIN)), np.ones((2, 100, 80), "f4"), np.ones((2, 80, 90), "f4")
    (part,) = net.describe(x.shape, y.shape).parts.values()
    assert (part.algorithm, part.macs) == ("blas", 2 * 100 * 80 * 90)
    x[0, 1, 2], y[1, 3, 4] = np.nan, np.inf
    z = net(x, y)
    assert np.isnan(z[0, 1]).all()
    assert np.isinf(z[1, :, 4]).all()
    assert np.isfinite(z).sum() == z.size - 90 - 100


def test_products_that_do_not_fit():
    with pytest.raises(ValueError, match="MatMul 'z'"):
        fastconv.onnx.load(product(*PLAIN))(np.ones((3, 4), "f4"), np.ones((5, 6), "f4"))
