"""accuracy=: which bound of the error a convolution, a block, a graph or a network keeps to.

The componentwise bound is that of `compare.assert_close`; the normwise one is a few eps times ‖x‖·‖w‖ of what an output
sees, and test_winograd_range.py and test_fip.py derive how many for each algorithm that promises no more.
"""

import numpy as np
import pytest
from cases import SMALL_BLOCKS, normals, small_block
from compare import assert_conv

import fastconv
from benchmarks.errors import FAMILIES
from fastconv import networks

RNG = np.random.default_rng(0)
THREE, ONE = normals(RNG, (3, 3, 32, 32), "float32"), normals(RNG, (1, 1, 32, 32), "float32")
X = normals(RNG, (1, 28, 28, 32), "float32")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", [1, 3])
def test_componentwise_whatever_x_is(family, size):
    rng = np.random.default_rng(1)
    x = FAMILIES[family](rng, (1, 14, 14, 128)).astype(np.float32)
    weight = normals(rng, (size, size, 128, 128), "float32") * np.float32(0.1)
    options = {"padding": size // 2}
    assert_conv(fastconv.conv2d(x, weight, accuracy="componentwise", **options), x, weight, **options)


def accuracies(plan, shape=X.shape):
    """{name: accuracy} of the convolutions of a graph's plan."""
    return {name: part.accuracy for name, part in plan.describe(shape).parts.items() if part.macs}


def test_auto_keeps_to_what_was_asked_for():
    for size, weight in ((3, THREE), (1, ONE)):
        plan = fastconv.Conv2d(weight, padding=size // 2, accuracy="componentwise")
        told = plan.describe(X.shape)
        assert (told.algorithm, told.accuracy) == ("direct", "componentwise")
        assert plan(X).tobytes() == fastconv.conv2d(X, weight, padding=size // 2, algorithm="direct").tobytes()
        assert "accuracy='componentwise'" in repr(plan)
    told = fastconv.Conv2d(THREE, padding=1).describe(X.shape)
    assert (told.algorithm, told.accuracy) == ("winograd", "normwise")
    assert "\naccuracy          normwise\n" in str(told)


def test_a_promise_of_no_more_than_was_asked_for_is_an_error():
    said = '^(a: )?algorithm "winograd" does not promise accuracy "componentwise", which "direct" or "blas" do$'
    g = fastconv.Graph()
    y = g.conv2d(g.x, THREE, algorithm="winograd", name="a")
    for call in (
        lambda: fastconv.conv2d(X, THREE, algorithm="winograd", accuracy="componentwise"),
        lambda: fastconv.Fire((ONE, None), (ONE, None), (THREE, None), algorithm="winograd", accuracy="componentwise"),
        lambda: g.plan(y, accuracy="componentwise"),
        lambda: g.plan(y, algorithm="winograd", accuracy="componentwise"),
    ):
        with pytest.raises(ValueError, match=said):
            call()


def test_a_graph_and_its_convolutions():
    g = fastconv.Graph()
    y = g.conv2d(g.conv2d(g.x, THREE, padding=1, accuracy="componentwise", name="own"), THREE, padding=1, name="b")
    for plan in (g.plan(y), g.plan(y, algorithm="winograd")):
        assert accuracies(plan) == {"own": "componentwise", "b": "normwise"}
    assert set(accuracies(g.plan(y, accuracy="componentwise")).values()) == {"componentwise"}
    layers = fastconv.Conv2d(THREE, padding=1), fastconv.MaxPool2d(2)
    assert accuracies(fastconv.Sequential(*layers, accuracy="componentwise")) == {"conv2d1": "componentwise"}


@pytest.mark.parametrize("name", SMALL_BLOCKS)
def test_blocks(name):
    x, pairs = small_block(name)
    plan = getattr(fastconv, name)(*pairs.values(), accuracy="componentwise")
    assert set(accuracies(plan, x.shape).values()) == {"componentwise"}


def test_a_network():
    net = networks.nin("cifar10")
    told = [accuracies(net.plan(accuracy=accuracy), net.input_shape) for accuracy in ("normwise", "componentwise")]
    assert set(told[0].values()) == {"normwise", "componentwise"}
    assert set(told[1].values()) == {"componentwise"}


def test_siblings_of_unlike_promises_are_not_joined():
    g = fastconv.Graph()
    both = [g.conv2d(g.x, THREE, padding=1, accuracy=name, name=name) for name in ("normwise", "componentwise")]
    assert accuracies(g.plan(g.concat(*both))) == {"normwise": "normwise", "componentwise": "componentwise"}
