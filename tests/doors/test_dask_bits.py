"""The blocks of dask arrays have the bits of the whole ones."""

import random
import re

import dask
import dask.array as da
import numpy as np
import pytest
from cases import LAYOUTS, normals
from graph_cases import graph_cases
from growing import kinds
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fastconv

MAX_LANES = 16


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def chunked(pick, x):
    """A dask array of x in chunks of any sizes, a few on each axis."""
    chunks = []
    for size in x.shape:
        some, left = [], size
        while left:
            some.append(min(left, pick.randint(1 + size // 5, size)))
            left -= some[-1]
        chunks.append(tuple(some) or (0,))
    return da.from_array(x, tuple(chunks))


def assert_same(lazy, want):
    """Assert that the result has the bits of the whole, and each block the declared shape."""
    assert (lazy.shape, lazy.dtype) == (want.shape, want.dtype)
    blocks = dask.compute(*lazy.to_delayed(optimize_graph=False).ravel())
    for index, block in zip(np.ndindex(*lazy.numblocks), blocks, strict=True):
        assert (block.shape, block.dtype) == (lazy.blocks[index].shape, want.dtype)
    np.testing.assert_array_equal(lazy.compute(), want)


@settings(max_examples=1000)
@given(graph_cases(ends=2), st.randoms(use_true_random=False))
def test_graphs(case, pick):
    """Random graphs, of two inputs and two results, on small chunks; most have operations that need whole maps."""
    try:
        got = fastconv.dask.apply(case.plan, *(chunked(pick, x) for x in case.inputs))
    except ValueError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert re.search("without a window|of other strides", refused)  # the latter where maps of one pixel are added
        return
    want = case.plan(*case.inputs)
    for lazy, whole in zip(*(ys if isinstance(ys, tuple) else (ys,) for ys in (got, want)), strict=True):
        assert_same(lazy, whole)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_convolutions_that_a_graph_takes_apart_or_joins(layout):
    """Those with several filters for each channel, and narrow ones of one map."""
    rng, g = np.random.default_rng(0), fastconv.Graph(layout=layout)

    def conv(x, *shape, **options):
        weight = normals(rng, shape, "float32")
        return g.conv2d(x, weight if layout == "NHWC" else weight.transpose(3, 2, 0, 1), **options)

    y = conv(g.x, 3, 3, 1, 32, groups=16, padding=1)
    plan = g.plan(g.sigmoid(conv(y, 3, 3, 32, 2)), g.log_softmax(conv(y, 3, 3, 32, 3)))
    x = normals(rng, (2, 33, 27, 16) if layout == "NHWC" else (2, 16, 33, 27), "float32")
    assert {"in_turns", "slice"} <= {*kinds(plan)}
    pick = random.Random(0)
    for lazy, want in zip(fastconv.dask.apply(plan, chunked(pick, x)), plan(x), strict=True):
        assert_same(lazy, want)


@settings(max_examples=60)
@given(LAYOUTS, st.sampled_from(["auto", "auto", "direct", "winograd", "fip"]), st.randoms(use_true_random=False))
def test_convolutions(layout, algorithm, pick):
    """Convolutions by every algorithm, of maps that have edges and a middle, tiny values and some that overflow."""
    k, c, out = pick.choice([1, 3, 5, 7]), pick.choice([3, 8, 32]), pick.choice([3, 8, 32])
    options = {
        "stride": pick.choice([1, 1, 2, 3]),
        "padding": pick.choice([0, k // 2, "same", ((1, 0), (2, 3)), k + 1]),
        "dilation": pick.choice([1, 1, 2]),
        "activation": pick.choice([None, "relu"]),
        "groups": c if c == out and pick.random() < 0.3 else 1,
        "layout": layout,
        "algorithm": algorithm,
    }
    rng = np.random.default_rng(0)
    x = normals(rng, (2, pick.randint(20, 70), pick.randint(20, 70), c), "float32")
    x[:, :9, :11], x[:, 15:] = 0, x[:, 15:] * np.float32(1e-6)
    x[1, 12, 13] = pick.choice([0, np.nan, 3e38])
    weight, bias = normals(rng, (k, k, c // options["groups"], out), "float32"), normals(rng, (out,), "float32")
    if layout == "NCHW":
        x, weight = np.moveaxis(x, -1, -3), weight.transpose(3, 2, 0, 1)
    try:
        want = fastconv.conv2d(x, weight, bias, **options)
    except ValueError:
        assume(False)
    residual = normals(rng, want.shape, "float32")
    want = fastconv.conv2d(x, weight, bias, residual=residual, **options)
    got = fastconv.dask.conv2d(chunked(pick, x), weight, bias, residual=chunked(pick, residual), **options)
    if layout == "NCHW" and k == 1:  # the last pixels of a plane, fewer than a vector, are summed in another order
        got, want = (y.reshape(*y.shape[:2], -1) for y in (got.compute(), want))
        np.testing.assert_array_equal(got[..., : 1 - MAX_LANES], want[..., : 1 - MAX_LANES])
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    else:
        assert_same(got, want)


def layer(*shape, **options):
    """A convolution whose result has values of the size of its input's."""
    weight = normals(np.random.default_rng(0), shape, "float32") * np.float32(np.prod(shape[:3]) ** -0.5)
    return fastconv.Conv2d(weight, **options)


def pairs(*shapes):
    return [(layer(*shape)._operation.weight, None) for shape in shapes]


NETS = {  # strides of 8 in all, padding at every depth, sizes rounded up and down, Winograd's tiles after strides
    "ResNet": fastconv.Sequential(
        layer(7, 7, 3, 16, stride=2, padding=3, activation="relu"),
        fastconv.MaxPool2d(3, stride=2, padding=1),
        fastconv.Bottleneck(*pairs((1, 1, 16, 32), (3, 3, 32, 32), (1, 1, 32, 64), (1, 1, 16, 64))),
        fastconv.Bottleneck(*pairs((1, 1, 64, 32), (3, 3, 32, 32), (1, 1, 32, 64), (1, 1, 64, 64)), stride=2),
        fastconv.Bottleneck(*pairs((1, 1, 64, 32), (3, 3, 32, 32), (1, 1, 32, 64))),
    ),
    "SqueezeNet": fastconv.Sequential(
        layer(7, 7, 3, 32, stride=2, activation="relu"),
        fastconv.MaxPool2d(3, stride=2, ceil_mode=True),
        fastconv.Fire(*pairs((1, 1, 32, 16), (1, 1, 16, 32), (3, 3, 16, 32))),
        fastconv.MaxPool2d(3, stride=2, ceil_mode=True),
        fastconv.Fire(*pairs((1, 1, 64, 16), (1, 1, 16, 32), (3, 3, 16, 32))),
    ),
    "Inception": fastconv.Sequential(
        layer(3, 3, 3, 32, stride=2, padding="same"),
        fastconv.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
        fastconv.Inception(
            *pairs((1, 1, 32, 16), (1, 1, 32, 16), (3, 3, 16, 32), (1, 1, 32, 8), (5, 5, 8, 16), (1, 1, 32, 16))
        ),
        layer(5, 5, 80, 32, padding=2),
    ),
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("size", [(230, 161), (96, 333)])
@pytest.mark.parametrize("chunk", [30, 64])
def test_networks(name, size, chunk):
    x = normals(np.random.default_rng(1), (*size, 3), "float32")
    lazy = fastconv.dask.apply(NETS[name], da.from_array(x, chunks=(chunk, chunk, 2)))
    assert_same(lazy, NETS[name](x))
    assert np.prod(lazy.numblocks) > 1
