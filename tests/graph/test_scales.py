"""Scales and batch norms that become weights: where they do, where they must not, and what is computed then."""

import pickle

import numpy as np
import pytest
from graph_bounds import assert_right
from growing import DTYPES, LAYOUTS, Growing, checked, kinds

import fastconv

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
