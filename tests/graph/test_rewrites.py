"""Each rewrite of a graph: where it applies, where it must not, and that the result is the graph's."""

import pickle

import numpy as np
import pytest
from cases import normals
from compare import assert_close
from graph_bounds import assert_right, magnitude, terms
from growing import DTYPES, LAYOUTS, Growing, checked, kinds

from fastconv import reference

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


FUNCTIONS = {  # what runs, each convolution with its functions
    "one": ("conv2d + swish", lambda g: g.swish(g.conv(g.x, 3, 3, 4, 5, padding=1))),
    "several": (
        "conv2d + hard_swish + batch_norm + tanh",
        lambda g: g.tanh(g.norm(g.hard_swish(g.conv(g.x, 1, 1, 4, 5)), 5)),
    ),
    "bounds on either side": (
        "conv2d + hard_sigmoid",
        lambda g: g.clip(g.hard_sigmoid(g.conv(g.x, 1, 1, 4, 5, activation="relu6")), 0.25, 0.75),
    ),
    "a residual before it": ("conv2d + gelu", lambda g: g.gelu(g.add(g.conv(g.x, 1, 1, 4, 4), g.x))),
    "a residual after it": ("conv2d + mish, add", lambda g: g.add(g.mish(g.conv(g.x, 1, 1, 4, 4)), g.x)),
    "a product": ("linear + swish", lambda g: g.swish(g.linear(g.x, g.matrix(4, 5)))),
    "groups": ("conv2d + elu", lambda g: g.elu(g.conv(g.x, 3, 3, 1, 4, groups=4))),
    "into a concatenation": (
        "conv2d + elu, max_pool2d, concat",
        lambda g: g.concat(g.elu(g.conv(g.x, 1, 1, 4, 5)), g.max_pool2d(g.x, 1)),
    ),
    "a transposed convolution": (
        "conv2d + swish, concat, depth_to_space",
        lambda g: g.swish(g.conv_transpose2d(g.x, g.weight(2, 2, 4, 4), stride=2)),
    ),
    "others that read it": (
        "conv2d, swish, add",
        lambda g: g.add(g.swish(y := g.conv(g.x, 1, 1, 4, 4)), y),
    ),
    "two maps": (
        "conv2d, max_pool2d, mul",
        lambda g: g.mul(g.conv(g.x, 1, 1, 4, 4), g.max_pool2d(g.x, 1)),
    ),
    "of all channels": ("conv2d, softmax", lambda g: g.softmax(g.conv(g.x, 1, 1, 4, 5))),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_in_the_step_before_them(name, dtype, layout):
    want, build = FUNCTIONS[name]
    whole = want.split(", ")
    plan = checked(build, " ".join(whole).replace(" + ", " "), layout, dtype)
    assert [node.operation.whole_kind for node in plan._rewritten.nodes] == whole


def test_a_result_is_not_what_a_function_makes_of_it():
    g = Growing()
    y = g.conv(g.x, 1, 1, 4, 5)
    assert [node.operation.whole_kind for node in g.plan(g.swish(y), y)._rewritten.nodes] == ["conv2d", "swish"]


def test_functions_count_as_they_did():
    g = Growing()
    plan = g.plan(g.norm(g.swish(g.conv(g.x, 1, 1, 4, 5, name="conv")), 5))
    assert "conv=Conv2d(1×1, 4→5, bias, float32, swish, batch_norm)" in repr(plan)
    assert plan._rewritten.params == plan._graph.params == 4 * 5 + 5 + 2 * 5
    x = normals(g.rng, (6, 7, 4), "float32")
    assert [step.operation for step in plan.profile(x)] == ["conv2d + swish + batch_norm"]
    assert pickle.loads(pickle.dumps(plan))(x).tobytes() == plan(x).tobytes()
