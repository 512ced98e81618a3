"""Activations that are bounds: what they are checked for, and what every kernel's store makes of its sums."""

from itertools import product

import numpy as np
import pytest
from cases import in_layout, integers, kernel_in_layout, non_finite, normals
from graph_bounds import assert_right
from graph_cases import ONE, THREE, X
from hypothesis import given
from hypothesis import strategies as st

import fastconv
from fastconv import reference
from fastconv._checks import activations

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
BOUNDS = [(0.0, np.inf), (0.0, 6.0), (-np.inf, 0.5), (-1.5, 0.25), (2.0, 2.0)]

# (x, weight, options), an algorithm or more for each kernel: whole vectors of channels and some of one, few channels,
# small groups and rows of them, Winograd's tiles at the edges of the map, products of planes and their last pixels.
LAYERS = [
    ((2, 5, 7, 9), (2, 3, 9, 35), {"padding": 1}),
    ((1, 3, 33, 5), (1, 1, 5, 3), {}),
    ((1, 3, 33, 5), (1, 1, 5, 4), {}),
    ((1, 3, 33, 5), (1, 1, 5, 8), {}),
    ((1, 3, 33, 5), (1, 1, 5, 16), {}),
    ((2, 7, 9, 20), (3, 3, 1, 20), {"groups": 20, "padding": 1}),
    ((2, 7, 9, 3), (3, 3, 1, 3), {"groups": 3}),
    ((1, 6, 9, 20), (7, 3, 4, 20), {"groups": 5, "padding": 3}),
    ((2, 9, 10, 17), (3, 3, 17, 35), {"padding": 1, "algorithm": "winograd"}),
    ((1, 6, 7, 16), (5, 5, 16, 16), {"padding": 2, "algorithm": "winograd"}),
    ((2, 6, 9, 17), (1, 1, 17, 19), {}),
    ((2, 6, 9, 17), (1, 1, 17, 19), {"algorithm": "blas"}),
    ((2, 6, 9, 70), (1, 1, 70, 50), {"algorithm": "fip"}),
]


def clipped(y, low, high):
    """The bits of a clip that keeps NaN and -0."""
    y = np.where(y < low, y.dtype.type(low), y)
    return np.where(y > high, y.dtype.type(high), y)


def bits(y):
    """Without the sign of a NaN, which follows from the compiler's order of the operands."""
    return np.where(np.isnan(y), y.dtype.type(np.nan), y).tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("layer", "layout"), list(product(LAYERS, ["NHWC", "NCHW"])))
def test_the_bits_of_bounds_in_the_store(layer, layout, dtype):
    """Those of the linear layer, clipped; the linear layer is the reference's to compare."""
    x_shape, weight_shape, options = layer
    rng, options = np.random.default_rng(0), {**options, "layout": layout}
    weight = integers(rng, kernel_in_layout(weight_shape, layout), dtype)
    linear = fastconv.Conv2d(weight, num_threads=1, **options)
    for values in (normals, integers, non_finite):
        x = values(rng, in_layout(x_shape, layout), dtype)
        x[:1, :2] = -0.0
        want = linear(x)
        residual = normals(rng, want.shape, dtype)
        residual[..., ::2] = -0.0
        for bounds, num_threads in zip(BOUNDS, [1, 2, 3, 2, 1], strict=True):
            plan = fastconv.Conv2d(weight, activation=bounds, num_threads=num_threads, **options)
            assert bits(plan(x)) == bits(clipped(want, *bounds))
            added = linear(x, residual=residual)
            assert bits(plan(x, residual=residual)) == bits(clipped(added, *bounds))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("layer", "layout"), list(product(LAYERS, ["NHWC", "NCHW"])))
def test_the_bits_of_slopes_in_the_store(layer, layout, dtype):
    """Those of the linear layer, times a slope where they are below 0."""
    x_shape, weight_shape, options = layer
    rng = np.random.default_rng(0)
    weight = integers(rng, kernel_in_layout(weight_shape, layout), dtype)
    slopes = normals(rng, weight_shape[3:], dtype)
    along = slopes if layout == "NHWC" else slopes[:, None, None]
    for values, num_threads in zip((normals, integers, non_finite), (1, 2, 3), strict=True):
        x = values(rng, in_layout(x_shape, layout), dtype)
        x[:1, :2] = -0.0
        g = fastconv.Graph(layout=layout)
        y = g.conv2d(g.x, weight, name="conv", **options)
        want = g.plan(y, num_threads=1)(x)
        for z, slope in (g.prelu(y, slopes), along), (g.leaky_relu(y), x.dtype.type(0.01)):
            plan = g.plan(z, num_threads=num_threads)
            assert [*plan.describe(x.shape).parts] == ["conv"]
            assert bits(plan(x)) == bits(np.where(want < 0, want * slope, want))


FUNCTIONS = [
    lambda g, y, vectors: g.swish(y),
    lambda g, y, vectors: g.hard_sigmoid(y),
    lambda g, y, vectors: g.prelu(g.scale(g.tanh(y), *vectors), vectors[0]),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", LAYERS)
def test_the_bits_of_functions_in_the_tasks(layer, dtype):
    """Those of steps of their own, which there are where the convolution is a result too."""
    x_shape, weight_shape, options = layer
    rng = np.random.default_rng(0)
    weight, vectors = normals(rng, weight_shape, dtype), normals(rng, (2, weight_shape[3]), dtype)
    for values, make in product((normals, non_finite), FUNCTIONS):
        x, g = values(rng, x_shape, dtype), fastconv.Graph()
        y = g.conv2d(g.x, weight, **options)
        alone = g.plan(y, num_threads=1)(x)
        added = normals(rng, alone.shape, dtype)
        summed = g.conv2d(g.x, weight, residual=g.input("added"), **options)
        for one, inputs in (y, (x,)), (summed, (x, added)):
            z = make(g, one, vectors)
            want, _ = g.plan(z, one, num_threads=1)(*inputs)
            for num_threads in 1, 2, 3:
                plan = g.plan(z, num_threads=num_threads)
                assert len(plan._rewritten.nodes) == 1
                assert bits(plan(*inputs)) == bits(want)
            joined = np.full((*want.shape[:-1], want.shape[-1] + 5), 7, dtype)
            plan(*inputs, out=joined[..., 2:-3])
            assert bits(joined[..., 2:-3]) == bits(want)
            assert (np.delete(joined, np.s_[2:-3], -1) == 7).all()


def test_names_are_bounds():
    for name, (low, high) in [("relu", (0, np.inf)), ("relu6", (0, 6)), (None, (-np.inf, np.inf))]:
        got = fastconv.conv2d(X * 9, THREE, activation=name)
        assert got.tobytes() == fastconv.conv2d(X * 9, THREE, activation=[np.float32(low), high]).tobytes()
        np.testing.assert_allclose(got, reference.conv2d(X * 9, THREE, activation=(low, high)), atol=1e-4)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        *(
            (value, TypeError)
            for value in [6, 0.5, {0, 6}, b"relu", (None, 6), ("0", 6), (True, 6), (0, 1j), np.ones(2)]
        ),
        *((value, TypeError) for value in [(np.ones(2), 3), [[0, 6]]]),
        *(
            (value, ValueError)
            for value in [(), (1,), (0, 1, 2), "Relu6", "clip", "", (1, 0), (np.nan, 1), (0, np.nan)]
        ),
        *((value, ValueError) for value in [(10**400, 10**401), (np.float32(1), 1 - 1e-12)]),
    ],
)
def test_what_is_no_activation(value, error):
    g = fastconv.Graph()
    calls = [
        lambda: fastconv.conv2d(X, ONE, activation=value),
        lambda: fastconv.Conv2d(ONE, activation=value),
        lambda: fastconv.pointwise(X, ONE[0, 0], activation=value),
        lambda: fastconv.reference.conv2d(X, ONE, activation=value),
        lambda: fastconv.MLPConv((ONE, None), activation=value),
        lambda: g.conv2d(g.x, ONE, activation=value),
    ]
    for call in calls:
        with pytest.raises(error, match="activation must") as caught:
            call()
        assert "got" in str(caught.value)


def test_an_activation_that_a_graph_has_is_looked_for_there():
    with pytest.raises(ValueError, match=r"got 'sigmoid'; other functions are methods of Graph$"):
        fastconv.Conv2d(ONE, activation="sigmoid")


def test_a_list_of_bounds_that_is_changed_later():
    bounds = [0, 6]
    plan = fastconv.Conv2d(ONE, activation=bounds)
    bounds[:] = 1, 1
    assert plan(X * 9).tobytes() == fastconv.conv2d(X * 9, ONE, activation="relu6").tobytes()


ENDS = st.sampled_from([-np.inf, -2.0, -1.0, 0.0, 1.0, 2.0, 6.0, np.inf])
PAIRS = st.tuples(ENDS, ENDS).map(sorted).map(tuple)


@given(PAIRS, PAIRS)
def test_two_clips_are_one(first, second):
    x = np.array([-np.inf, -3, -2, -1.5, -1, -0.0, 0, 0.5, 1, 1.5, 2, 6, 7, np.inf, np.nan])
    one = activations.bounds(activations.composed(first, second))
    np.testing.assert_array_equal(clipped(x, *one), clipped(clipped(x, *first), *second))


def test_clips_join_the_store_before_them():
    g = fastconv.Graph()
    y = g.clip(g.relu(g.conv2d(g.x, THREE, padding=1, activation=(-1, 3), name="conv")), -2, 2)
    plan = g.plan(g.relu6(g.add(g.relu(y), g.clip(g.add(g.x, g.x), -1, 0.5), name="sum")))
    assert_right(plan, 5 * X)
    activations = {node.name: node.operation.activation for node in plan._rewritten.nodes}
    assert activations == {"conv": (0.0, 2.0), "add": (-1.0, 0.5), "sum": "relu6"}


def test_slopes_join_linear_stores_without_a_residual():
    def conv(g, **options):
        return g.conv2d(g.x, THREE, padding=1, name="conv", **options)

    cases = {  # whether there are slopes, and the kinds of the functions after that
        "slopes": lambda g: g.leaky_relu(conv(g), 0.5),
        "leaky_relu": lambda g: g.leaky_relu(conv(g, activation=(-1, 1)), 0.5),
        "prelu": lambda g: g.prelu(conv(g, residual=g.x), ONE[0, 0, 0]),
        "slopes relu6": lambda g: g.relu6(g.leaky_relu(conv(g), 0.5)),
        "slopes leaky_relu": lambda g: g.leaky_relu(g.leaky_relu(conv(g), 0.5), 0.25),
        "slopes ": lambda g: g.add(g.prelu(conv(g), ONE[0, 0, 0]), g.x),
        "slopes  ": lambda g: g.conv2d(g.leaky_relu(conv(g), 0.5), ONE, activation="relu"),
    }
    for parts, build in cases.items():
        g = fastconv.Graph()
        plan = g.plan(build(g))
        assert_right(plan, X)
        first = plan._rewritten.nodes[0].operation
        found = ["slopes"] * (first.slopes is not None) + [function.kind for function in first.functions]
        assert found == parts.split()
    assert "prelu" in repr(plan)


def test_a_clip_of_which_another_node_reads_the_input_is_a_step():
    """Of two clips, one after the other, too, the first of which is in a store already."""
    for make in (lambda g: g.conv2d(g.x, THREE, padding=1), lambda g: g.add(g.x, g.x)):
        g = fastconv.Graph()
        y = g.relu(make(g))
        plan = g.plan(g.max_pool2d(g.concat(g.clip(y, -1, 0.25), y), 1))
        assert_right(plan, X)
        assert "clip" in plan.describe(X.shape).parts
