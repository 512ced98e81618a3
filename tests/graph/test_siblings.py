"""Convolutions of one map that become one: which do, which must not, and that the results are the graph's."""

import numpy as np
import pytest
from cases import in_layout, normals
from compare import assert_close
from graph_bounds import magnitude, terms
from growing import LAYOUTS, Growing, checked, kinds

from fastconv import reference

SIBLINGS = {
    "1×1s": ("conv2d concat", lambda g: g.concat(*(g.conv(g.x, 1, 1, 4, k, activation="relu") for k in (3, 8, 1)))),
    "3×3s": ("conv2d concat", lambda g: g.concat(*(g.conv(g.x, 3, 3, 4, k, padding=1) for k in (3, 17)))),
    "some without bias": (
        "conv2d concat",
        lambda g: g.concat(*(g.conv(g.x, 1, 1, 4, 3, bias=b) for b in (True, False))),
    ),
    "relus after them": ("conv2d concat", lambda g: g.concat(*(g.relu(g.conv(g.x, 1, 1, 4, 3)) for _ in range(2)))),
    "a function after them": (
        "conv2d swish concat",
        lambda g: g.concat(*(g.swish(g.conv(g.x, 1, 1, 4, k)) for k in (3, 17))),
    ),
    "slopes after them": (
        "conv2d concat",
        lambda g: g.concat(*(g.prelu(g.conv(g.x, 1, 1, 4, k), g.vector(k)) for k in (3, 17))),
    ),
    "vectors of functions after them": (
        "conv2d batch_norm concat",
        lambda g: g.concat(*(g.norm(g.relu(g.conv(g.x, 1, 1, 4, k)), k) for k in (3, 17))),
    ),
    "one for all of them": (
        "conv2d elu concat",
        lambda g: g.elu(g.concat(*(g.conv(g.x, 1, 1, 4, k) for k in (3, 17)))),
    ),
    "other functions": (
        "conv2d elu conv2d elu conv2d swish concat",
        lambda g: g.concat(
            g.elu(g.conv(g.x, 1, 1, 4, 3)), g.elu(g.conv(g.x, 1, 1, 4, 3), 0.5), g.swish(g.conv(g.x, 1, 1, 4, 3))
        ),
    ),
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


HEADS = {  # of one map, 4 channels: what runs
    "narrow": ("conv2d slice slice", lambda g: [g.conv(g.x, 3, 3, 4, k) for k in (2, 4)]),
    "three that fill a vector": ("conv2d slice slice slice", lambda g: [g.conv(g.x, 5, 5, 4, k) for k in (1, 7, 4)]),
    "more than a vector": ("conv2d slice slice slice", lambda g: [g.conv(g.x, 6, 6, 4, k) for k in (1, 9, 7)]),
    "a function": ("conv2d sigmoid slice slice", lambda g: [g.sigmoid(g.conv(g.x, 3, 3, 4, k)) for k in (2, 4)]),
    "slopes and strides": (
        "conv2d slice slice",
        lambda g: [g.prelu(g.conv(g.x, 3, 3, 4, k, stride=2, padding=1), g.vector(k)) for k in (2, 3)],
    ),
    "functions of their own": (
        "conv2d slice sigmoid tanh slice",
        lambda g: [g.tanh(g.sigmoid(g.conv(g.x, 3, 3, 4, 2))), g.conv(g.x, 3, 3, 4, 4)],
    ),
    "read by others": (
        "conv2d slice softmax slice",
        lambda g: [g.softmax(g.conv(g.x, 3, 3, 4, 2)), g.conv(g.x, 3, 3, 4, 4)],
    ),
    "two families": (
        "conv2d slice conv2d slice slice slice",
        lambda g: [g.conv(g.x, 3, 3, 4, 2, dilation=1 + i // 2 % 2) for i in (0, 2, 1, 3)],
    ),
    "other activations": (
        "conv2d conv2d",
        lambda g: [g.conv(g.x, 3, 3, 4, 2), g.conv(g.x, 3, 3, 4, 4, activation="relu")],
    ),
    "short sums": ("conv2d conv2d", lambda g: [g.conv(g.x, 1, 1, 4, k) for k in (2, 4)]),
    "full vectors": ("conv2d conv2d", lambda g: [g.conv(g.x, 5, 5, 4, 16) for _ in range(2)]),
    "groups": ("conv2d conv2d", lambda g: [g.conv(g.x, 3, 3, 2, 2, groups=2) for _ in range(2)]),
    "a residual": (
        "conv2d conv2d",
        lambda g: [g.conv(g.x, 3, 3, 4, 4, padding=1, residual=g.x) for _ in range(2)],
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", HEADS)
def test_narrow_siblings(name, layout):
    want, build = HEADS[name]
    g = Growing(layout)
    plan = g.plan(*build(g), num_threads=3)
    assert kinds(plan) == want.split()
    x = normals(np.random.default_rng(1), in_layout((2, 7, 6, 4), layout), "float32")
    for got, exact, size in zip(plan(x), reference.graph(plan, x), magnitude(plan._graph, x), strict=True):
        assert_close(got, exact, size, terms(plan._graph) + 4, x.dtype)


def test_narrow_siblings_of_vectors():
    """They give vectors still."""
    g = Growing()
    plan = g.plan(g.linear(g.x, g.matrix(40, 2)), g.linear(g.x, g.matrix(40, 4)))
    assert kinds(plan) == ["linear", "slice", "slice"]
    x = normals(np.random.default_rng(1), (3, 1, 1, 40), "float32")
    for got, exact in zip(plan(x), reference.graph(plan, x), strict=True):
        assert_close(got, exact, np.abs(exact) + 40, 40, x.dtype)
