"""Paddings that become those of convolutions and pools, and those that do not."""

import numpy as np
import pytest
from cases import non_finite
from graph_bounds import assert_right
from graph_cases import ONE, RNG, THREE, X

import fastconv
from fastconv import reference
from fastconv._graph.rewrites.pads import merge_pads
from fastconv._planning import choosing

SIDES = ((0, 2), (1, 1))


def steps(plan):
    return list(plan.describe(X.shape).parts)


def padded(g, y, sides=SIDES, value=0.0):
    return g.pad(y, sides, value, name="pad")


MERGED = {
    "conv": lambda g: g.conv2d(padded(g, g.x), THREE, stride=2, padding=1),
    "conv of one pixel": lambda g: g.conv2d(padded(g, g.x), ONE, np.ones(4, np.float32), activation="relu"),
    "conv with a residual": lambda g: g.conv2d(padded(g, g.x, 1), THREE, residual=g.x),
    "max of a relu": lambda g: g.max_pool2d(padded(g, g.relu(g.x)), 3, stride=2),
    "max of a conv's relu": lambda g: g.max_pool2d(padded(g, g.conv2d(g.x, ONE, activation="relu")), (3, 2)),
    "max of a clip": lambda g: g.max_pool2d(padded(g, g.clip(g.x, 1, 2), ((1, 0), (0, 1))), 3, padding=1),
    "average": lambda g: g.avg_pool2d(padded(g, g.x, 1), 4, padding=((0, 2), (1, 0))),
}
KEPT = {
    "another value": lambda g: g.conv2d(padded(g, g.x, value=1), THREE),
    "same": lambda g: g.conv2d(padded(g, g.x), THREE, padding="same"),
    "a result": lambda g: g.concat(padded(g, g.x, 1), g.conv2d(g.x, THREE, padding=2)),
    "read twice": lambda g: g.add(g.conv2d(y := padded(g, g.x, 1), THREE, padding=1), y),
    "a residual": lambda g: g.conv2d(g.x, THREE, padding=2, residual=padded(g, g.x, 1)),
    "an activation between": lambda g: g.conv2d(g.sigmoid(padded(g, g.x)), THREE),
    "max of what may be negative": lambda g: g.max_pool2d(padded(g, g.x), 3),
    "max of a clip below 0": lambda g: g.max_pool2d(padded(g, g.clip(g.x, -1, 2)), 3),
    "windows of padding alone": lambda g: g.max_pool2d(padded(g, g.relu(g.x)), 2),
    "ceil mode": lambda g: g.max_pool2d(padded(g, g.relu(g.x)), 3, stride=2, ceil_mode=True),
    "an average of the map alone": lambda g: g.avg_pool2d(padded(g, g.x), 3, count_include_pad=False),
    "BLAS": lambda g: g.conv2d(padded(g, g.x), ONE, algorithm="blas"),
    "fast inner products": lambda g: g.conv2d(padded(g, g.x), ONE, algorithm="fip"),
    "the whole map": lambda g: g.global_avg_pool2d(padded(g, g.x)),
}


@pytest.mark.parametrize("name", MERGED)
def test_a_padding_that_is_its_readers(name):
    g = fastconv.Graph()
    plan = g.plan(MERGED[name](g))
    assert "pad" not in steps(plan)
    assert_right(plan, X)


@pytest.mark.parametrize("name", KEPT)
def test_a_padding_that_stays(name):
    g = fastconv.Graph()
    plan = g.plan(KEPT[name](g))
    assert "pad" in steps(plan)
    assert_right(plan, X)


@pytest.mark.parametrize("name", [*MERGED, *KEPT])
def test_the_result_is_the_graphs(name):
    """In float64: of NaN and Inf too."""
    g = fastconv.Graph()
    graph = g.plan({**MERGED, **KEPT}[name](g))._graph
    x = non_finite(RNG, X.shape, "float64")
    np.testing.assert_allclose(merge_pads(graph).reference(x), graph.reference(x), rtol=1e-13, atol=1e-13)


def test_the_plan_has_the_values_of_one_with_the_padding_written_out():
    g, want = fastconv.Graph(), fastconv.Conv2d(THREE, padding=((1, 3), (2, 2)))
    plan = g.plan(g.conv2d(padded(g, g.x), THREE, padding=1))
    np.testing.assert_array_equal(plan(X), want(X))
    np.testing.assert_allclose(plan(X), reference.graph(plan, X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("algorithm", choosing.NAMES)
def test_a_padding_before_any_algorithm(algorithm):
    """Which suits a convolution as it was declared."""
    g = fastconv.Graph()
    plan = g.plan(g.conv2d(g.pad(g.conv2d(g.pad(g.x, SIDES), THREE), SIDES), ONE), algorithm=algorithm)
    assert repr(plan)
    assert_right(plan, X)
