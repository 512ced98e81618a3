"""Attention as exporters write it, in nodes of its own, against ONNX Runtime: one step, and what is none."""

import numpy as np
import pytest
from onnx_models import assert_close, by_onnxruntime
from onnx_written import Written

import fastconv

RNG = np.random.default_rng(0)
pytestmark = pytest.mark.filterwarnings("ignore:.*did fewer multiply-adds")


def scaled(w):
    return w.rest(w.add("Mul", w.product(), w.number(0.3)))


def divided(w):
    return w.rest(w.add("Div", w.product(), w.number([[3.0]])))


def both_scaled(w):
    query = w.add("Mul", w.heads("x"), w.number(0.5))
    key = w.add("Div", w.heads("y", 0, 2, 3, 1), w.number(2.0))
    return w.rest(w.add("MatMul", query, key))


def biased(*shapes):
    def build(w):
        scores = w.add("Mul", w.number(0.3), w.product())
        for shape in shapes:
            scores = w.add("Add", w.bias(*shape), scores)
        return w.rest(scores)

    return build


def windows(w):
    """As Swin adds masks: to the matrices of each window, between two reshapes."""
    batch, heads, rows, columns = w.scores
    scores = w.add("Add", w.product(), w.bias(1, heads, rows, columns))
    scores = w.add("Reshape", scores, np.array([1, batch, heads, rows, columns]))
    scores = w.add("Add", scores, w.bias(1, batch, 1, rows, columns))
    return w.rest(w.add("Reshape", scores, np.array([-1, heads, rows, columns])), axis=3)


def masked(w):
    """Some keys are left out of each row."""
    holes = np.where(w.bias(*w.scores[2:]) > 0.5, -np.inf, 0).astype(w.dtype)
    return w.rest(w.add("Add", w.product(), holes))


def scaled_by_a_run(w):
    """One product with a tensor stays, the other is with a number."""
    query = w.add("Mul", w.heads("x"), w.add("ReduceMax", "z", keepdims=0))
    return w.rest(w.add("Mul", w.add("MatMul", query, w.heads("y", 0, 2, 3, 1)), w.number(0.2)))


def with_scores_of_a_run(w):
    """As relative positions are added: another product, which is computed before."""
    other = w.add("MatMul", w.heads("x"), w.bias(w.shapes["x"][-1], w.scores[-1]))
    return w.rest(w.add("Add", w.product(), other))


def one_for_all_heads(w):
    keys, values = (w.add("ReduceMean", name, np.array([2]), keepdims=1) for name in "yz")
    scores = w.add("MatMul", w.heads("x"), w.heads(keys, 0, 2, 3, 1))
    return w.rest(scores, w.heads(values))


def in_one_axis(w):
    """Heads and batch are one axis, as older exporters have them."""
    query, key, value = (w.heads(name) for name in "xyz")
    stack = -1, *w.scores[2:3], w.shapes["x"][-1]
    query = w.add("Reshape", query, np.array(stack))
    key, value = (
        w.add("Reshape", one, np.array([-1, w.scores[3], w.shapes[n][-1]])) for one, n in ((key, "y"), (value, "z"))
    )
    scores = w.add("MatMul", query, w.add("Transpose", key, perm=[0, 2, 1]))
    return w.add("MatMul", w.add("Softmax", scores, axis=2), value)


def matrices(w):
    """Without a stack."""
    x, y, z = (w.add("Slice", name, np.array([0, 0]), np.array([1, 1]), np.array([0, 2])) for name in "xyz")
    x, y, z = (w.add("Squeeze", one, np.array([0, 2])) for one in (x, y, z))
    scores = w.add("MatMul", x, w.add("Transpose", y, perm=[1, 0]))
    return w.add("MatMul", w.add("Softmax", scores, axis=-1), z)


GATHERED = {
    "scaled": scaled,
    "divided": divided,
    "both scaled": both_scaled,
    "a bias": biased((2, 3, 17, 19)),
    "a bias of a row": biased((2, 1, 1, 19)),
    "a bias of a column": biased((17, 1)),
    "a bias of a vector": biased((19,)),
    "biases": biased((3, 17, 19), (2, 1, 1, 19), (1, 1, 17, 19)),
    "windows": windows,
    "a mask": masked,
    "a scale of a run": scaled_by_a_run,
    "scores of a run": with_scores_of_a_run,
    "one for all heads": one_for_all_heads,
    "in one axis": in_one_axis,
    "matrices": matrices,
}
SIZES = [
    {},
    {"rows": 4, "columns": 1, "depth": 1, "width": 1},
    {"rows": 30, "columns": 9, "depth": 7, "width": 5},
    {"rows": 5, "columns": 100, "depth": 33, "width": 50},
    {"batch": 1, "heads": 1, "rows": 700, "columns": 300, "depth": 16, "width": 32},
    {"dtype": "f8"},
    {"rows": 90, "columns": 31, "depth": 15, "width": 17, "dtype": "f8"},
]


def operations(net, xs):
    return [step.operation for step in net.profile(*xs).steps]


def assert_attention(written, build, count=1):
    proto = written.proto(build(written))
    loaded = [fastconv.onnx.load(proto, strict=True, num_threads=n) for n in (1, 3)]
    first, second = (net(*written.xs) for net in loaded)
    np.testing.assert_array_equal(first, second)
    assert_close(first, by_onnxruntime(proto, *written.xs), 1e-6 if written.dtype == "f4" else 1e-14)
    assert operations(loaded[0], written.xs).count("Attention") == count
    return loaded[0]


@pytest.mark.parametrize("name", GATHERED)
def test_nodes_that_are_one_attention(name):
    net = assert_attention(Written(), GATHERED[name])
    assert "Softmax" not in {kind.title() for kind in operations(net, Written().xs)}


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_attention_of_any_size(sizes):
    assert_attention(Written(**sizes), scaled)


def _unaligned(x):
    memory = np.zeros(x.nbytes + 1, np.uint8)
    y = memory[1:].view(x.dtype).reshape(x.shape)
    y[...] = x
    return y


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_a_row_has_the_same_bits_wherever_it_lies(num_threads):
    """In another batch, among other rows, in arrays of other strides."""
    w = Written(rows=90, columns=300)  # in several slabs
    net = fastconv.onnx.load(w.proto(scaled(w)), num_threads=num_threads)
    x, y, z = w.xs
    wanted = fastconv.onnx.load(w.proto(scaled(w)), num_threads=1)(x, y, z)
    np.testing.assert_array_equal(net(_unaligned(x), _unaligned(y), _unaligned(z)), wanted)
    np.testing.assert_array_equal(net(x[::-1], y[::-1], z[::-1]), wanted[::-1])
    np.testing.assert_array_equal(net(np.asfortranarray(x), np.asfortranarray(y), np.asfortranarray(z)), wanted)
    np.testing.assert_array_equal(net(x[:, ::-1], y, z), wanted[:, ::-1])
    x = x.copy()
    x[1], x[:, 4:] = 0, 0
    np.testing.assert_array_equal(net(x, y, z)[0, :4], wanted[0, :4])


def test_an_attention_is_told():
    w = Written()
    net = fastconv.onnx.load(w.proto(scaled(w)))
    ((_, part),) = ((n, part) for n, part in net.describe().parts.items() if part.algorithm == "direct")
    assert part.macs == 2 * 3 * 17 * 19 * (20 + 20)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_team_of_an_attention_is_told(monkeypatch, dtype):
    """And its share of the peak, which is half as high for doubles."""
    monkeypatch.setattr("fastconv._planning.machine.fma_gflops", lambda team: (100.0, 100.0 * team))
    w = Written(rows=70, columns=80, depth=32, width=32, dtype=dtype)
    net = fastconv.onnx.load(w.proto(scaled(w)), num_threads=2)
    profile = net.profile(*w.xs)
    (step,) = (step for step in profile if step.operation == "Attention")
    assert step.threads == net.describe().parts[step.name].threads == 2
    assert step.share_of_peak == pytest.approx(step.gflops / (200 if dtype == "f4" else 100))
    (row,) = (line for line in str(profile).splitlines() if "direct" in line)
    assert row.endswith(f"{step.share_of_peak:.1%}")


def biases_before_the_scale(w):
    return w.rest(w.add("Mul", w.add("Add", w.product(), w.bias(17, 19)), w.number(0.5)))


def scores_that_are_a_result(w):
    scores = w.product()
    w.nodes.append(("Relu", scores, "seen", {}))
    return w.add("Add", w.rest(scores), w.add("ReduceMax", "seen", keepdims=0))


def powers_that_are_read_twice(w):
    powers = w.add("Softmax", w.product(), axis=-1)
    y = w.add("MatMul", powers, w.heads("z"))
    return w.add("Add", y, w.add("ReduceMax", powers, keepdims=0))


NOT_GATHERED = {
    "biases before the scale": biases_before_the_scale,
    "scores that others read": scores_that_are_a_result,
    "powers that others read": powers_that_are_read_twice,
    "another axis": lambda w: w.rest(w.product(), axis=2),
    "a scale of zero": lambda w: w.rest(w.add("Mul", w.product(), w.number(0.0))),
    "a scale for each row": lambda w: w.rest(w.add("Mul", w.product(), w.bias(17, 1))),
    "a bias that makes more of it": lambda w: w.add(
        "MatMul", w.add("Softmax", w.add("Add", w.product(), w.bias(2, 1, 1, 1, 19)), axis=-1), w.heads("z")
    ),
    "scores in another shape": lambda w: w.rest(
        w.add("Reshape", w.add("Reshape", w.product(), np.array([2, 3, 19, 17])), np.array([2, 3, 17, 19]))
    ),
}


@pytest.mark.parametrize("name", NOT_GATHERED)
def test_nodes_that_stay(name):
    assert_attention(Written(), NOT_GATHERED[name], count=0)


@pytest.mark.parametrize("number", [1e21, 1e-21])
def test_scales_whose_product_is_none_of_their_dtype_stay(number):
    """Here each makes up for what is as far from 1."""
    w = Written()
    number = w.number(number)
    query, key = (w.add("Mul", one, number) for one in (w.heads("x"), w.heads("y", 0, 2, 3, 1)))
    net = fastconv.onnx.load(w.proto(w.rest(w.add("MatMul", query, key))))
    x, y, z = w.xs
    other = Written()
    wanted = fastconv.onnx.load(other.proto(other.rest(other.product())))(x, y, z)
    assert_close(net(x / number, y / number, z), [wanted])


def test_an_attention_of_what_another_gives():
    """Its scores are the other's result: one product cannot be in both."""
    w = Written(columns=17, depth=17, width=17)
    first = w.rest(w.product(), w.heads("z"))
    w.nodes.pop()  # the heads stay where they are
    scores = w.nodes[-1][2]
    assert first != scores
    assert_attention(w, lambda w: w.rest(w.add("Mul", scores, w.number(0.5))))


@pytest.mark.parametrize("build", [scaled, scores_that_are_a_result])
def test_max_bytes_counts_attention_and_products(build):
    w = Written(width=300)
    proto = w.proto(build(w))
    wanted = fastconv.onnx.load(proto)(*w.xs)
    assert fastconv.onnx.load(proto, max_bytes=wanted.nbytes)(*w.xs).shape == wanted.shape
    with pytest.raises(ValueError, match=r"'t\d': its result of shape .* more than max_bytes"):
        fastconv.onnx.load(proto, max_bytes=wanted.nbytes - 1)(*w.xs)


def test_few_rows_stay():
    assert_attention(Written(rows=3), scaled, count=0)


def test_what_does_not_fit_is_told_by_the_nodes_of_the_file():
    w = Written()
    y = w.add("MatMul", w.add("Softmax", w.add("MatMul", "x", "y"), axis=-1), "z")
    with pytest.raises(ValueError, match="MatMul 't0'"):
        fastconv.onnx.load(w.proto(y))(*w.xs)


def test_what_is_no_number_stays_in_its_row():
    w = Written()
    net = fastconv.onnx.load(w.proto(scaled(w)))
    x, y, z = w.xs
    wanted = net(x, y, z)
    x = x.copy()
    x[1, 2, 0, 3] = np.nan
    got = net(x, y, z)
    assert np.isnan(got[1, 2, 0]).all()
    got[1, 2, 0] = wanted[1, 2, 0]
    np.testing.assert_array_equal(got, wanted)


def test_what_a_mask_leaves_out_adds_nothing():
    """Powers of e⁻⁸⁰ and less of a row's largest are 0: subnormal numbers take a product a hundred times as long."""
    w = Written(rows=4)
    mask = np.where(np.arange(19) < 12, 0, -100).astype("f4")
    net = fastconv.onnx.load(w.proto(w.rest(w.add("Add", w.add("Mul", w.product(), w.number(0.1)), mask))))
    x, y, z = w.xs
    wanted = net(x, y, z)
    z = z.copy()
    z[:, 12:] = 1e38
    np.testing.assert_array_equal(net(x, y, z), wanted)
