"""The blocks of the reference against explicit loops over every index, on small whole numbers."""

import naive
import numpy as np
import pytest
from naive import nchw, oihw, pairwise, whole

from fastconv import reference


def conv(x, pair, activation="relu", stride=1, padding=0, residual=0):
    weight, bias = pair
    padding = tuple(pairwise(side) for side in pairwise(padding))
    y = naive.conv(x, weight, pairwise(stride), padding) + (0 if bias is None else bias) + residual
    return np.maximum(y, 0) if activation == "relu" else y


def pairs(*sizes):
    """A (weight, bias) for each (kernel size, channels in, channels out); the second has no bias."""
    return [
        (whole((*pairwise(k), c, out), i), None if i == 1 else whole(out, i + 10))
        for i, (k, c, out) in enumerate(sizes)
    ]


X = whole((2, 5, 6, 4))


def naive_mlpconv(parts, f):
    y = conv(X, parts[0], f, 2, ((1, 0), (2, 2)))
    return conv(conv(y, parts[1], f), parts[2], f)


def naive_reduced(parts, f):
    return conv(conv(X, parts[0], f), parts[1], f, (1, 2), 2)


def naive_bottleneck(parts, f, padding=1):
    y = conv(conv(X, parts[0], f), parts[1], f, 1, padding)
    return conv(y, parts[2], f, residual=X)


def naive_projected(parts, f, stride_in="conv"):
    strides = {"reduce": 1, "conv": 1, stride_in: 2}
    y = conv(X, parts[0], f, strides["reduce"])
    y = conv(y, parts[1], f, strides["conv"], 1)
    return conv(y, parts[2], f, residual=conv(X, parts[3], None, 2))


def naive_fire(parts, f):
    s = conv(X, parts[0], f)
    return np.concatenate([conv(s, parts[1], f), conv(s, parts[2], f, padding=1)], -1)


def naive_inception(parts, f):
    pooled = naive.pool(X, (3, 3), (1, 1), ((1, 1), (1, 1)), max, None)
    branches = [
        conv(X, parts[0], f),
        conv(conv(X, parts[1], f), parts[2], f, padding=1),
        conv(conv(X, parts[3], f), parts[4], f, padding=2),
        conv(pooled, parts[5], f),
    ]
    return np.concatenate(branches, -1)


BLOCKS = {
    "mlpconv": (
        reference.mlpconv,
        pairs((3, 4, 5), (1, 5, 3), (1, 3, 2)),
        {"stride": 2, "padding": ((1, 0), (2, 2))},
        naive_mlpconv,
    ),
    "reduced": (reference.reduced, pairs((1, 4, 2), (5, 2, 3)), {"stride": (1, 2), "padding": 2}, naive_reduced),
    "bottleneck": (reference.bottleneck, pairs((1, 4, 2), (3, 2, 3), (1, 3, 4)), {}, naive_bottleneck),
    "bottleneck 5×1": (
        reference.bottleneck,
        pairs((1, 4, 2), ((5, 1), 2, 3), (1, 3, 4)),
        {},
        lambda parts, f: naive_bottleneck(parts, f, (2, 0)),
    ),
    "projected bottleneck": (
        reference.bottleneck,
        pairs((1, 4, 2), (3, 2, 3), (1, 3, 5), (1, 4, 5)),
        {"stride": 2},
        naive_projected,
    ),
    "projected bottleneck v1": (
        reference.bottleneck,
        pairs((1, 4, 2), (3, 2, 3), (1, 3, 5), (1, 4, 5)),
        {"stride": 2, "stride_in": "reduce"},
        lambda parts, f: naive_projected(parts, f, "reduce"),
    ),
    "fire": (reference.fire, pairs((1, 4, 2), (1, 2, 3), (3, 2, 5)), {}, naive_fire),
    "inception": (
        reference.inception,
        pairs((1, 4, 2), (1, 4, 3), (3, 3, 4), (1, 4, 2), (5, 2, 3), (1, 4, 1)),
        {},
        naive_inception,
    ),
}


@pytest.mark.parametrize("activation", ["relu", None])
@pytest.mark.parametrize("name", BLOCKS)
def test_blocks(name, activation):
    function, parts, options, naive = BLOCKS[name]
    options, want = {"activation": activation, **options}, naive(parts, activation)
    np.testing.assert_array_equal(function(X, *parts, **options), want, strict=True)
    np.testing.assert_array_equal(function(X[1], *parts, **options), want[1], strict=True)
    flipped = [(oihw(weight), bias) for weight, bias in parts]
    got = function(nchw(X), *flipped, layout="NCHW", **options)
    np.testing.assert_array_equal(got, nchw(want), strict=True)
