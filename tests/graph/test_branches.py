"""Convolutions and scales of one map that are summed: which become one, which stay, and what is computed then."""

from functools import reduce

import numpy as np
import pytest
from growing import DTYPES, LAYOUTS, Growing, checked, kinds

import fastconv


def total(g, *terms):
    return reduce(g.add, terms)


def depthwise(g, k, **options):
    return g.conv(g.x, k, k, 1, 4, groups=4, padding=k // 2, **options)


MERGED = {
    "1×1s": lambda g: total(g, *(g.conv(g.x, 1, 1, 4, 5) for _ in range(3))),
    "no biases": lambda g: total(g, *(g.conv(g.x, 3, 3, 4, 5, bias=False) for _ in range(2))),
    "one bias": lambda g: total(g, g.conv(g.x, 1, 1, 4, 5, bias=False), g.conv(g.x, 1, 1, 4, 5)),
    "RepVGG's": lambda g: g.relu(
        total(g, g.norm(g.conv(g.x, 3, 3, 4, 4, padding=1), 4), g.norm(g.conv(g.x, 1, 1, 4, 4), 4), g.norm(g.x, 4))
    ),
    "MobileOne's": lambda g: g.relu(
        total(g, g.norm(g.x, 4), g.norm(depthwise(g, 1), 4), *(g.norm(depthwise(g, 3), 4) for _ in range(3)))
    ),
    "MobileOne's 1×1s": lambda g: total(g, g.norm(g.x, 4), *(g.conv(g.x, 1, 1, 4, 4) for _ in range(2))),
    "ACNet's": lambda g: total(
        g,
        g.conv(g.x, 1, 3, 4, 5, padding=(0, 1)),
        g.conv(g.x, 3, 1, 4, 5, padding=(1, 0)),
        g.conv(g.x, 3, 3, 4, 5, padding=1),
    ),
    "groups": lambda g: total(g, g.conv(g.x, 3, 3, 2, 4, groups=2, padding=1), g.scale(g.x, g.vector(4))),
    "strides": lambda g: total(g, g.conv(g.x, 3, 3, 4, 5, stride=2, padding=1), g.conv(g.x, 1, 1, 4, 5, stride=2)),
    "dilated taps": lambda g: total(
        g, g.conv(g.x, 5, 5, 4, 5, padding=2), g.conv(g.x, 3, 3, 4, 5, padding=2, dilation=2)
    ),
    "a dilated kernel": lambda g: total(
        g, g.conv(g.x, 3, 3, 4, 5, padding=2, dilation=2), g.conv(g.x, 1, 1, 4, 5), g.conv(g.x, 1, 1, 4, 5)
    ),
    "uneven padding": lambda g: total(
        g, g.conv(g.x, 3, 2, 4, 5, padding=((2, 0), (0, 1))), g.conv(g.x, 2, 1, 4, 5, padding=((1, 0), (0, 0)))
    ),
    "padding same": lambda g: total(
        g, g.conv(g.x, 4, 3, 4, 5, padding="same"), g.conv(g.x, 1, 1, 4, 5, padding="same"), g.conv(g.x, 1, 1, 4, 5)
    ),
    "padding same, strides": lambda g: total(g, *(g.conv(g.x, 3, 3, 4, 5, padding="same", stride=2) for _ in range(2))),
    "a sum of sums": lambda g: g.add(
        total(g, g.conv(g.x, 1, 1, 4, 4), g.conv(g.x, 1, 1, 4, 4)),
        total(g, g.conv(g.x, 3, 3, 4, 4, padding=1), g.norm(g.x, 4)),
    ),
    "beside x itself": lambda g: total(g, g.conv(g.x, 1, 1, 4, 4), g.x, g.conv(g.x, 1, 1, 4, 4)),
    "matrices": lambda g: total(g, *(g.linear(g.x, g.matrix(4, 4)) for _ in range(2)), g.norm(g.x, 4)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", MERGED)
def test_terms_that_become_one(name, dtype, layout):
    checked(MERGED[name], "linear" if name == "matrices" else "conv2d", layout, dtype)


KEPT = {
    "of different maps": ("max_pool2d conv2d conv2d", lambda g: (1, g.conv(g.max_pool2d(g.x, 1), 1, 1, 4, 4))),
    "other channels in its groups": ("conv2d conv2d", lambda g: (1, g.conv(g.x, 1, 1, 2, 4, groups=2))),
    "an activation": ("conv2d conv2d", lambda g: (1, g.conv(g.x, 1, 1, 4, 4, activation="relu"))),
    "a relu": ("conv2d conv2d", lambda g: (1, g.relu(g.conv(g.x, 1, 1, 4, 4)))),
    "a residual": ("max_pool2d conv2d conv2d", lambda g: (1, g.conv(g.x, 1, 1, 4, 4, residual=g.max_pool2d(g.x, 1)))),
    "another algorithm": ("conv2d conv2d", lambda g: (1, g.conv(g.x, 1, 1, 4, 4, algorithm="blas"))),
    "taps between those of the other": (
        "conv2d conv2d",
        lambda g: ({"dilation": 2, "padding": 2}, g.conv(g.x, 3, 3, 4, 4, padding=1)),
    ),
    "a stride beside a scale": (
        "batch_norm max_pool2d conv2d",
        lambda g: ({"stride": 2, "padding": 1}, g.max_pool2d(g.norm(g.x, 4), 1, stride=2)),
    ),
    "sizes that differ for other maps": (
        "conv2d conv2d",
        lambda g: ({"stride": 2, "padding": ((1, 0), (1, 0))}, g.conv(g.x, 1, 1, 4, 4, stride=2)),
    ),
    "padding that follows from the size": (
        "conv2d conv2d",
        lambda g: ({"stride": 2, "padding": "same"}, g.conv(g.x, 1, 1, 4, 4, stride=2)),
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_terms_that_stay(name):
    want, build = KEPT[name]

    def built(g):
        options, other = build(g)
        return g.add(g.conv(g.x, 3, 3, 4, 4, **({"padding": options} if options == 1 else options)), other)

    if name == "sizes that differ for other maps":
        g = Growing()
        assert kinds(g.plan(built(g))) == want.split()  # of even sizes alone they can be added
    else:
        checked(built, want)


def test_a_term_that_others_read_stays():
    checked(
        lambda g: g.add(g.add(g.conv(g.x, 1, 1, 4, 4), y := g.conv(g.x, 1, 1, 4, 4)), g.max_pool2d(y, 1)),
        "conv2d conv2d max_pool2d add",
    )


def test_a_sum_that_others_read_is_one_term():
    checked(
        lambda g: g.add(
            g.add(y := total(g, g.conv(g.x, 1, 1, 4, 4), g.conv(g.x, 1, 1, 4, 4)), g.norm(g.x, 4)), g.max_pool2d(y, 1)
        ),
        "conv2d batch_norm add max_pool2d add",
    )


def test_what_is_a_result_is_no_term():
    g = Growing()
    y = g.conv(g.x, 1, 1, 4, 4)
    plan = g.plan(g.add(y, g.conv(g.x, 1, 1, 4, 4)), y)
    assert kinds(plan) == ["conv2d", "conv2d"]


@pytest.mark.parametrize("value", [3e38, np.inf, np.nan])
@pytest.mark.parametrize("what", ["weight", "bias"])
def test_terms_whose_sum_is_not_finite_stay(what, value):
    g = Growing()
    weight, bias = g.weight(1, 1, 4, 4), g.vector(4)
    (weight if what == "weight" else bias)[..., 1] = value
    assert kinds(g.plan(total(g, *(g.conv2d(g.x, weight, bias) for _ in range(2))))) == ["conv2d", "conv2d"]


def test_weights_are_rounded_once():
    g = Growing()
    weights = [g.weight(3, 3, 4, 4), *(g.weight(1, 1, 4, 4) for _ in range(3))]
    y = total(g, *(g.conv2d(g.x, weight, padding=weight.shape[0] // 2) for weight in weights))
    (node,) = g.plan(y)._rewritten.nodes
    exact = weights[0].astype(float)
    for weight in weights[1:]:
        exact[1:2, 1:2] += weight
    np.testing.assert_array_equal(node.operation.weight, exact.astype(np.float32), strict=True)


def test_an_infinite_pixel_sees_the_sum_of_the_weights():
    g = fastconv.Graph()
    terms = (g.conv2d(g.x, np.full((1, 1, 1, 1), value, np.float32)) for value in (2, -1))
    assert g.plan(g.add(*terms))(np.full((1, 1, 1), np.inf, np.float32)) == np.inf


def test_a_long_sum_is_one():
    """Deeper than Python's stack."""
    g = Growing()
    scale = g.vector(4)
    plan = g.plan(total(g, g.conv(g.x, 1, 1, 4, 4), *(g.scale(g.x, scale) for _ in range(2000))))
    assert kinds(plan) == ["conv2d"]
