"""Each rewrite of a graph: where it applies, where it must not, and that the result is the graph's."""

import pickle

import numpy as np
import pytest
from cases import in_layout, kernel_in_layout, normals
from compare import assert_close
from graph_cases import assert_rewritten, assert_right, magnitude, terms

import fastconv
from fastconv import reference

LAYOUTS, DTYPES = ["NHWC", "NCHW"], ["float32", "float64"]


class Growing(fastconv.Graph):
    """A graph with random weights, which are given by their shape (R, S, C, K)."""

    def __init__(self, layout="NHWC", dtype="float32"):
        super().__init__(layout=layout)
        self.rng, self.dtype = np.random.default_rng(0), dtype

    def weight(self, *shape):
        return normals(self.rng, kernel_in_layout(shape, self.layout), self.dtype)

    def matrix(self, c, k):
        return normals(self.rng, (c, k) if self.layout == "NHWC" else (k, c), self.dtype)

    def vector(self, n):
        return normals(self.rng, (n,), self.dtype)

    def conv(self, x, *shape, bias=True, **options):
        return self.conv2d(x, self.weight(*shape), self.vector(shape[3]) if bias else None, **options)

    def norm(self, x, n):
        return self.batch_norm(x, self.vector(n), self.vector(n) ** 2, self.vector(n), self.vector(n), epsilon=0.1)

    def average(self, x, kernel=2, **options):
        return self.avg_pool2d(x, kernel, **options)


def kinds(plan):
    """Of what runs, in that order."""
    return [node.operation.kind for node in plan._rewritten.nodes]


def checked(build, want, layout="NHWC", dtype="float32"):
    """The plan of what `build` makes of a graph, whose rewritten twin has nodes of the kinds `want`."""
    g = Growing(layout, dtype)
    plan = g.plan(build(g), num_threads=3)
    assert kinds(plan) == want.split()
    x = normals(np.random.default_rng(1), in_layout((2, 7, 6, 4), layout), dtype)
    assert_rewritten(plan._rewritten, plan._graph, x)
    assert_right(plan, x)
    assert list(plan.describe(x.shape).parts) == [n.name for n in plan._rewritten.nodes if n.operation.kind != "concat"]
    return plan


SCALES_FOLDED = {
    "after": lambda g: g.norm(g.conv(g.x, 3, 3, 4, 5, padding=1), 5),
    "after, no bias": lambda g: g.scale(g.conv(g.x, 3, 3, 4, 5, bias=False), g.vector(5)),
    "after groups": lambda g: g.norm(g.conv(g.x, 3, 3, 2, 6, groups=2), 6),
    "after depthwise": lambda g: g.norm(g.conv(g.x, 3, 3, 1, 8, groups=4, padding="same"), 8),
    "after, then relu": lambda g: g.relu(g.norm(g.conv(g.x, 1, 1, 4, 5), 5)),
    "after, then a sum": lambda g: g.relu(g.add(g.norm(g.conv(g.x, 1, 1, 4, 4), 4), g.x)),
    "after a matrix": lambda g: g.norm(g.linear(g.x, g.matrix(4, 3)), 3),
    "before": lambda g: g.conv(g.norm(g.x, 4), 3, 3, 4, 5, stride=2),
    "before groups": lambda g: g.conv(g.norm(g.x, 4), 3, 3, 2, 6, groups=2, bias=False),
    "before depthwise": lambda g: g.conv(g.norm(g.x, 4), 3, 3, 1, 8, groups=4, activation="relu6"),
    "before a 1×1 of any padding": lambda g: g.conv(g.norm(g.x, 4), 1, 1, 4, 5, padding="same", stride=2),
    "before padding, no shift": lambda g: g.conv(g.scale(g.x, g.vector(4)), 3, 3, 4, 5, padding=1),
    "before a residual": lambda g: g.conv(g.norm(g.x, 4), 1, 1, 4, 4, residual=g.x),
    "of each other": lambda g: g.norm(g.scale(g.norm(g.conv(g.x, 3, 3, 4, 5), 5), g.vector(5), g.vector(5)), 5),
    "on both sides": lambda g: g.norm(g.conv(g.norm(g.x, 4), 3, 3, 4, 5), 5),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SCALES_FOLDED)
def test_scales_become_weights(name, dtype, layout):
    want = "linear" if name == "after a matrix" else "conv2d"
    checked(SCALES_FOLDED[name], want, layout, dtype)


def seen(g, y):
    """A sum of y, which is read twice then."""
    return g.add(y, g.max_pool2d(y, 1))


SCALES_KEPT = {
    "an activation between": ("conv2d batch_norm", lambda g: g.norm(g.conv(g.x, 1, 1, 4, 4, activation="relu"), 4)),
    "a relu between": ("conv2d batch_norm", lambda g: g.norm(g.relu(g.conv(g.x, 1, 1, 4, 4)), 4)),
    "a relu before": ("batch_norm conv2d", lambda g: g.conv(g.relu(g.norm(g.x, 4)), 1, 1, 4, 4)),
    "a residual": ("conv2d batch_norm", lambda g: g.norm(g.conv(g.x, 1, 1, 4, 4, residual=g.x), 4)),
    "as a residual": ("batch_norm conv2d", lambda g: g.conv(g.x, 1, 1, 4, 4, residual=g.norm(g.x, 4))),
    "a shift beside padding": ("batch_norm conv2d", lambda g: g.conv(g.norm(g.x, 4), 3, 3, 4, 4, padding=1)),
    "beside what may be padding": ("batch_norm conv2d", lambda g: g.conv(g.norm(g.x, 4), 2, 2, 4, 4, padding="same")),
    "a pool": ("max_pool2d batch_norm", lambda g: g.norm(g.max_pool2d(g.x, 2), 4)),
    "a convolution read twice": (
        "conv2d batch_norm max_pool2d add add",
        lambda g: g.add(g.norm(y := g.conv(g.x, 1, 1, 4, 4), 4), seen(g, y)),
    ),
    "a scale read twice": (
        "batch_norm max_pool2d add conv2d",
        lambda g: g.conv(seen(g, g.norm(g.x, 4)), 1, 1, 4, 4),
    ),
}


@pytest.mark.parametrize("name", SCALES_KEPT)
def test_scales_that_stay(name):
    want, build = SCALES_KEPT[name]
    checked(build, want)


@pytest.mark.parametrize(
    ("weight", "scale"), [(1e30, 1e30), (1e-30, 1e-30), (np.inf, 1.0), (np.nan, 1.0), (1.0, np.inf), (1.0, np.nan)]
)
@pytest.mark.parametrize("is_after", [True, False])
def test_scales_that_would_make_other_numbers_stay(weight, scale, is_after):
    g = Growing()
    weights, scales = g.weight(1, 1, 4, 4), g.vector(4)
    weights[..., 1], scales[1] = weight, scale
    if is_after:
        y = g.scale(g.conv2d(g.x, weights), scales)
    else:
        weights[..., 1, :] = weight
        y = g.conv2d(g.scale(g.x, scales), weights)
    assert set(kinds(g.plan(y))) == {"conv2d", "scale"}


def test_a_scale_that_would_make_a_bias_infinite_stays():
    g = Growing()
    plan = g.plan(g.scale(g.conv2d(g.x, g.weight(1, 1, 4, 4), np.full(4, 1e30, "f4")), np.full(4, 1e10, "f4")))
    assert kinds(plan) == ["conv2d", "scale"]


def test_a_scale_of_zero_keeps_nan_and_infinities():
    g = Growing()
    plan = g.plan(g.scale(g.conv(g.x, 1, 1, 4, 4), np.array([0, 1, -1, 0], np.float32)))
    x = np.ones((1, 3, 4), np.float32)
    x[0, 0, 0], x[0, 1, 1] = np.nan, np.inf
    assert kinds(plan) == ["conv2d"]
    assert_right(plan, x)


def test_scales_are_rounded_once():
    g = Growing()
    weight, scales = g.weight(1, 1, 4, 4), [g.vector(4) for _ in range(5)]
    y = g.conv2d(g.x, weight, scales[0])
    for scale, shift in (scales[1:3], scales[3:]):
        y = g.scale(y, scale, shift)
    (node,) = g.plan(y)._rewritten.nodes
    exact, bias = weight.astype(float), scales[0].astype(float)
    for scale, shift in (scales[1:3], scales[3:]):
        exact, bias = exact * scale.astype(float), bias * scale.astype(float) + shift
    np.testing.assert_array_equal(node.operation.weight, exact.astype(np.float32), strict=True)
    np.testing.assert_array_equal(node.operation.bias, bias.astype(np.float32), strict=True)


def test_scales_of_a_pickled_graph_have_the_same_bits():
    """Its weights lie in memory in another order, in which the shifts must not be summed."""
    rng, g = np.random.default_rng(0), fastconv.Graph(layout="NCHW")
    scale, shift, weight = (rng.standard_normal(shape) for shape in ((9,), (9,), (5, 9, 3, 3)))
    plan = g.plan(g.conv2d(g.scale(g.x, scale, shift), weight))
    (one,), (other,) = plan._rewritten.nodes, pickle.loads(pickle.dumps(plan))._rewritten.nodes
    assert one.operation.bias.tobytes() == other.operation.bias.tobytes()


AVERAGES = {
    "fewer pixels": ("avg_pool2d conv2d", lambda g: g.average(g.conv(g.x, 1, 1, 4, 40))),
    "one pixel": ("global_avg_pool2d conv2d", lambda g: g.global_avg_pool2d(g.conv(g.x, 1, 1, 4, 40))),
    "a matrix": ("global_avg_pool2d linear", lambda g: g.global_avg_pool2d(g.linear(g.x, g.matrix(4, 40)))),
    "groups": ("avg_pool2d conv2d", lambda g: g.average(g.conv(g.x, 1, 1, 2, 40, groups=2))),
    "no bias, padding": ("avg_pool2d conv2d", lambda g: g.average(g.conv(g.x, 1, 1, 4, 40, bias=False), 3, padding=1)),
    "padding not counted": (
        "avg_pool2d conv2d",
        lambda g: g.average(g.conv(g.x, 1, 1, 4, 40), 3, padding=1, count_include_pad=False, ceil_mode=True),
    ),
    "folded first": ("avg_pool2d conv2d", lambda g: g.average(g.norm(g.conv(g.x, 1, 1, 4, 40), 40))),
    "fewer channels": ("conv2d avg_pool2d", lambda g: g.conv(g.average(g.x, 3, stride=1), 1, 1, 4, 1)),
    "fewer channels, then relu": (
        "conv2d avg_pool2d relu",
        lambda g: g.conv(g.average(g.x, 3, stride=1), 1, 1, 4, 1, activation="relu"),
    ),
    "fewer channels, a clip after": (
        "conv2d avg_pool2d relu6",
        lambda g: g.relu6(g.conv(g.average(g.x, 3, stride=1), 1, 1, 4, 1)),
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", AVERAGES)
def test_averages_in_the_cheaper_order(name, dtype, layout):
    want, build = AVERAGES[name]
    checked(build, want, layout, dtype)


AVERAGES_KEPT = {
    "a bias and counted padding": ("conv2d avg_pool2d", lambda g: g.average(g.conv(g.x, 1, 1, 4, 40), 3, padding=1)),
    "an activation between": (
        "conv2d avg_pool2d",
        lambda g: g.average(g.conv(g.x, 1, 1, 4, 40, activation="relu")),
    ),
    "a relu between": ("conv2d avg_pool2d", lambda g: g.average(g.relu(g.conv(g.x, 1, 1, 4, 40)))),
    "maxima": ("conv2d max_pool2d", lambda g: g.max_pool2d(g.conv(g.x, 1, 1, 4, 40), 2)),
    "a larger kernel": ("conv2d avg_pool2d", lambda g: g.average(g.conv(g.x, 2, 2, 4, 40))),
    "a stride of the convolution": ("conv2d avg_pool2d", lambda g: g.average(g.conv(g.x, 1, 1, 4, 40, stride=2))),
    "padding of the convolution": ("conv2d avg_pool2d", lambda g: g.average(g.conv(g.x, 1, 1, 4, 40, padding=1))),
    "a residual": ("conv2d avg_pool2d", lambda g: g.average(g.conv(g.x, 1, 1, 4, 4, residual=g.x))),
    "cheaper already": ("avg_pool2d conv2d", lambda g: g.conv(g.average(g.x), 1, 1, 4, 40)),
    "others that read it": (
        "conv2d avg_pool2d max_pool2d add",
        lambda g: g.add(g.average(y := g.conv(g.x, 1, 1, 4, 40)), g.max_pool2d(y, 2)),
    ),
}


@pytest.mark.parametrize("name", AVERAGES_KEPT)
def test_averages_that_stay(name):
    want, build = AVERAGES_KEPT[name]
    checked(build, want)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_averages_of_special_values(special):
    x = normals(np.random.default_rng(1), (2, 7, 6, 4), "float32")
    x[0, 2, 3, 1] = special
    for _, build in AVERAGES.values():
        g = Growing()
        assert_right(g.plan(build(g)), x)


SIBLINGS = {
    "1×1s": ("conv2d concat", lambda g: g.concat(*(g.conv(g.x, 1, 1, 4, k, activation="relu") for k in (3, 8, 1)))),
    "3×3s": ("conv2d concat", lambda g: g.concat(*(g.conv(g.x, 3, 3, 4, k, padding=1) for k in (3, 17)))),
    "some without bias": (
        "conv2d concat",
        lambda g: g.concat(*(g.conv(g.x, 1, 1, 4, 3, bias=b) for b in (True, False))),
    ),
    "relus after them": ("conv2d concat", lambda g: g.concat(*(g.relu(g.conv(g.x, 1, 1, 4, 3)) for _ in range(2)))),
    "in two runs": (
        "max_pool2d conv2d conv2d concat",
        lambda g: g.concat(
            *(g.conv(g.x, 1, 1, 4, 3) for _ in range(2)),
            g.max_pool2d(g.x, 1),
            *(g.conv(g.x, 1, 1, 4, 3) for _ in range(2)),
        ),
    ),
    "not alike": (
        "conv2d conv2d conv2d concat",
        lambda g: g.concat(
            g.conv(g.x, 1, 1, 4, 3), g.conv(g.x, 1, 1, 4, 3, activation="relu"), g.conv(g.x, 3, 3, 4, 3, padding=1)
        ),
    ),
    "not next to each other": (
        "conv2d max_pool2d conv2d concat",
        lambda g: g.concat(g.conv(g.x, 1, 1, 4, 3), g.max_pool2d(g.x, 1), g.conv(g.x, 1, 1, 4, 3)),
    ),
    "of different maps": (
        "conv2d max_pool2d conv2d concat",
        lambda g: g.concat(g.conv(g.x, 1, 1, 4, 3), g.conv(g.max_pool2d(g.x, 1), 1, 1, 4, 3)),
    ),
    "groups": ("conv2d conv2d concat", lambda g: g.concat(*(g.conv(g.x, 1, 1, 2, 4, groups=2) for _ in range(2)))),
    "a residual": (
        "conv2d conv2d concat",
        lambda g: g.concat(*(g.conv(g.x, 1, 1, 4, 4, residual=g.x) for _ in range(2))),
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", SIBLINGS)
def test_siblings_side_by_side(name, layout):
    want, build = SIBLINGS[name]
    checked(build, want, layout)


def test_a_sibling_that_others_read():
    g = Growing()
    y = g.conv(g.x, 1, 1, 4, 3)
    plan = g.plan(g.conv(g.concat(y, g.conv(g.x, 1, 1, 4, 3)), 1, 1, 6, 3, residual=y))
    assert kinds(plan) == ["conv2d", "conv2d", "identity", "concat", "conv2d"]


def test_names_that_a_rewrite_would_give():
    g = Growing()
    a, b, c = (g.conv(g.x, 1, 1, 4, 3, name=name) for name in ("a", "b", "a+b"))
    plan = g.plan(g.concat(a, b, g.relu(c)))
    assert_right(plan, normals(g.rng, (5, 5, 4), "float32"))
    assert list(plan.describe((5, 5, 4)).parts) == ["a+b", "a+b'"]


def test_names_that_two_rewrites_would_give():
    g = Growing()
    a, bc, ab, c = (g.conv(g.x, 1, 1, 4, 3, name=name) for name in ("a", "b+c", "a+b", "c"))
    plan = g.plan(g.add(g.relu(g.concat(a, bc)), g.concat(ab, c)))
    assert_right(plan, normals(g.rng, (5, 5, 4), "float32"))


RESULTS = {
    "of a scale": ("conv2d batch_norm", lambda g, y: (y, g.norm(y, 4))),
    "of an average": ("conv2d avg_pool2d", lambda g, y: (y, g.average(y))),
    "of a sum": ("conv2d add", lambda g, y: (y, g.add(y, g.x))),
    "of a clip": ("conv2d relu", lambda g, y: (g.relu(y), y)),
    "of a concatenation": ("conv2d conv2d identity concat", lambda g, y: (y, g.concat(y, g.conv(g.x, 1, 1, 4, 2)))),
    "of both": ("conv2d conv2d", lambda g, y: (g.relu(g.norm(y, 4)), g.norm(g.conv(g.x, 1, 1, 4, 3), 3))),
}


@pytest.mark.parametrize("name", RESULTS)
def test_what_is_a_result_stays(name):
    want, build = RESULTS[name]
    g = Growing()
    plan = g.plan(*build(g, g.conv(g.x, 1, 1, 4, 4)))
    assert sorted(kinds(plan)) == sorted(want.split())
    x = normals(np.random.default_rng(1), (2, 7, 6, 4), "float32")
    sizes = magnitude(plan._graph, x)
    for got, exact, size in zip(plan(x), reference.graph(plan, x), sizes, strict=True):
        assert_close(got, exact, size, terms(plan._graph) + 1, x.dtype)
