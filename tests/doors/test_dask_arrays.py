"""Dask arrays: chunks, lazy results, blocks that lie oddly in memory, padding by NumPy's modes, errors."""

import re
import subprocess
import sys

import dask
import dask.array as da
import numpy as np
import pytest
from cases import normals

import fastconv
from fastconv import networks

RNG = np.random.default_rng(0)
X = normals(RNG, (2, 60, 50, 4), "float32")
THREE, ONE = normals(RNG, (3, 3, 4, 8), "float32"), normals(RNG, (1, 1, 4, 8), "float32")
NET = fastconv.Sequential(fastconv.Conv2d(THREE, stride=2, padding=1), fastconv.MaxPool2d(2))


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def assert_same(lazy, want):
    np.testing.assert_array_equal(lazy.compute(), want)


def test_is_lazy():
    def fails(block):
        raise AssertionError("it was computed")

    x = da.ones((2, 60, 50, 4), chunks=30, dtype=np.float32).map_blocks(fails, dtype=np.float32, meta=X[:0])
    y = fastconv.dask.apply(NET, x)
    assert (y.shape, y.dtype, type(y._meta)) == ((2, 15, 12, 8), np.float32, np.ndarray)
    assert y.chunks == ((2,), (8, 7), (8, 4), (8,))
    assert fastconv.dask.apply(NET, x).name == y.name
    with pytest.raises(AssertionError, match="it was computed"):
        y.compute()


@pytest.mark.parametrize(
    ("given", "want"),
    [
        ((30, 30), (8, 7)),  # strides of 4 in all do not divide 30: 32 and 28 pixels of x
        ((29, 31), (7, 8)),
        ((0, 30, 0, 30, 0), (8, 7)),
        ((57, 3), (14, 1)),  # the last one has less than the halo
        ((1,) * 60, (1,) * 15),
        ((60,), (15,)),
        ((59, 1), (15,)),
    ],
)
def test_chunks(given, want):
    y = fastconv.dask.apply(NET, da.from_array(X, ((1, 0, 1), given, (25, 25), (1, 3))))
    assert y.chunks == ((1, 1), want, (6, 6), (8,))
    assert_same(y, NET(X))


def test_chunks_keep_tiles_whole():
    weight = normals(RNG, (3, 3, 4, 8), "float32")
    y = fastconv.dask.conv2d(da.from_array(X, (2, 30, 25, 4)), weight, padding=1, algorithm="winograd")
    assert all(size % 2 == 0 for sizes in y.chunks[1:3] for size in sizes[:-1])


def test_short_chunks_are_joined():
    """Those of fewer pixels than a block reads around them: here 32."""
    deep = fastconv.Sequential(*[fastconv.AvgPool2d(9, stride=1, padding=4) for _ in range(4)])
    x = da.from_array(X, (2, 7, 50, 4))
    y = fastconv.dask.apply(deep, x)
    assert y.chunks == ((2,), (35, 25), (50,), (4,))
    assert_same(y, deep(X))


@pytest.mark.parametrize("shape", [(0, 60, 50, 4), (1, 60, 50, 4)])
def test_batches(shape):
    x = np.ones(shape, np.float32)
    y = fastconv.dask.apply(NET, da.from_array(x, (1, 30, 30, 4)))
    assert y.compute().shape == y.shape == NET(x).shape


def test_one_image():
    assert_same(fastconv.dask.apply(NET, da.from_array(X[0], 25)), NET(X[0]))


def test_several_inputs_and_results():
    g = fastconv.Graph()
    half = g.conv2d(g.x, THREE, stride=2, padding=1, residual=g.input("other"))
    plan = g.plan(half, g.relu(g.conv2d(g.x, ONE)))
    other = normals(RNG, (2, 30, 25, 8), "float32")
    lazy = fastconv.dask.apply(plan, da.from_array(X, 20), da.from_array(other, 7))
    assert [y.chunks[1] for y in lazy] == [(10, 10, 10), (20, 20, 20)]
    for got, want in zip(dask.compute(*lazy), plan(X, other), strict=True):
        np.testing.assert_array_equal(got, want)


def test_parts_of_the_channels():
    g = fastconv.Graph()
    left, right = g.split(g.conv2d(g.x, THREE, padding=1), (4, 4))
    plan = g.plan(g.concat(g.relu(right), left))
    assert_same(fastconv.dask.apply(plan, da.from_array(X, 20)), plan(X))


def test_blocks_of_another_size_than_declared():
    x = da.from_array(X, 20).map_blocks(lambda block: block[:, 1:], dtype=X.dtype, meta=X[:0])
    y = fastconv.dask.apply(NET, x)
    with pytest.raises(ValueError, match=r"a block of input 0 has height and width \(\d+, \d+\), but its chunks"):
        y.compute()


def test_results_keep_nothing_alive():
    """A block is no view of what was computed around it."""
    y = fastconv.dask.apply(NET, da.from_array(X, (1, 30, 30, 4)))
    for block in dask.compute(*y.to_delayed().ravel()):
        assert block.base is None or block.base.nbytes <= block.nbytes + 64


ODD = {
    "unaligned": lambda x: np.frombuffer(b"1" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
    "read-only": lambda x: np.broadcast_to(x, x.shape),
    "strides of 0": lambda x: np.broadcast_to(x[:1, :1, :1, :1], x.shape),
    "reversed": lambda x: x[::-1, ::-1, ::-1, ::-1],
    "Fortran": np.asfortranarray,
    "big-endian": lambda x: x.astype(">f4"),
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_blocks(odd):
    x = da.from_array(X, (2, 30, 25, 4)).map_blocks(ODD[odd], dtype=ODD[odd](X).dtype, meta=ODD[odd](X)[:0])
    assert_same(fastconv.dask.apply(NET, x), NET(x.compute()))


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
@pytest.mark.parametrize("padding", [1, ((2, 0), (1, 3)), "same", 75])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_padding_modes(mode, padding, layout):
    """NumPy's: where padding is wider than the image too."""
    options = {"stride": 2, "layout": layout}
    x, weight = (X, THREE) if layout == "NHWC" else (np.moveaxis(X, -1, 1), THREE.transpose(3, 2, 0, 1))
    sides = {"same": ((0, 1), (0, 1)), 1: ((1, 1), (1, 1)), 75: ((75, 75), (75, 75))}.get(padding, padding)
    around = ((0, 0), *sides, (0, 0)) if layout == "NHWC" else ((0, 0), (0, 0), *sides)
    want = fastconv.conv2d(np.pad(x, around, mode), weight, **options)
    lazy = fastconv.dask.conv2d(da.from_array(x, 20), weight, padding=padding, padding_mode=mode, **options)
    assert_same(lazy, want)
    if padding == 1:
        assert lazy.chunks[1 if layout == "NHWC" else 2] == (10, 10, 10)


def test_plan_is_one_task():
    y = fastconv.dask.apply(NET, da.from_array(X, 10))
    plans = [key for key in y.__dask_graph__() if str(key).startswith("Blocks-")]
    assert len(plans) == 1 < np.prod(y.numblocks)


def test_one_thread_by_default(monkeypatch):
    """The team of a task, whatever the plan was given."""
    teams, run = [], fastconv._planning.block_plan.BlockPlan.run
    monkeypatch.setattr(
        "fastconv._planning.block_plan.BlockPlan.run",
        lambda self, *x: (teams.append(self.num_threads), run(self, *x))[1],
    )
    net = fastconv.Sequential(NET, num_threads=2)
    fastconv.dask.apply(net, da.from_array(X, 30)).compute()
    assert set(teams) == {1}
    fastconv.dask.apply(net, da.from_array(X, 60), num_threads=3).compute()
    assert teams[-1] == 3


LAZY = da.from_array(X, 30)
UNKNOWN = da.from_array(X, 30)[da.from_array(np.ones(2, bool), 1)]
GLOBAL = fastconv.Sequential(NET, fastconv.GlobalAvgPool2d())


def graph(build):
    g = fastconv.Graph()
    build(g, g.relu(g.x, name="first"))
    return g


ERRORS = {
    "array": (lambda: fastconv.dask.apply(NET, X), TypeError, "x must be a dask array, got ndarray"),
    "net": (lambda: fastconv.dask.apply(len, LAZY), TypeError, "net must be a Conv2d, a block"),
    "network": (lambda: fastconv.dask.apply(networks.nin(), LAZY), TypeError, "got Network; give that of its plan()"),
    "count": (lambda: fastconv.dask.apply(NET, LAZY, LAZY), TypeError, "the inputs must be (x), got 2"),
    "dtype": (
        lambda: fastconv.dask.apply(NET, LAZY.astype(np.uint8)),
        TypeError,
        "x must have dtype float32 or float64, got uint8; give x.astype(np.float32)",
    ),
    "other dtype": (lambda: fastconv.dask.apply(NET, LAZY.astype(float)), TypeError, "x has dtype float64, but every"),
    "unknown": (lambda: fastconv.dask.apply(NET, UNKNOWN), ValueError, "x.compute_chunk_sizes()"),
    "channels": (lambda: fastconv.dask.apply(NET, LAZY[..., :3]), ValueError, "conv2d1: weight"),
    "axes": (lambda: fastconv.dask.apply(NET, LAZY[0, 0]), ValueError, "x must have shape"),
    "size": (lambda: fastconv.dask.conv2d(LAZY[:, :2], THREE), ValueError, "spans 3 pixels of height"),
    "weight": (lambda: fastconv.dask.conv2d(LAZY, LAZY), TypeError, "weight must be a numpy array"),
    "mode": (lambda: fastconv.dask.conv2d(LAZY, THREE, padding_mode="wrap"), ValueError, "padding_mode must be"),
    "residual": (
        lambda: fastconv.dask.conv2d(LAZY, THREE, residual=LAZY),
        ValueError,
        "residual must have shape (2, 58, 48, 8), got (2, 60, 50, 4)",
    ),
    "threads": (lambda: fastconv.dask.apply(NET, LAZY, num_threads=0), ValueError, "num_threads must be at least 1"),
    "pool": (
        lambda: fastconv.dask.apply(GLOBAL, LAZY),
        ValueError,
        "globalavgpool2d2 is a global_avg_pool2d without",
    ),
    "flatten": (
        lambda: fastconv.dask.apply(graph(lambda g, y: g.flatten(y, name="flat")), LAZY),
        ValueError,
        "flat is a flatten without a window",
    ),
    "gate": (
        lambda: fastconv.dask.apply(graph(lambda g, y: g.mul(y, g.input("pixel"), name="gate")), LAZY, LAZY[:, :1, :1]),
        ValueError,
        "gate is a mul without a window",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    call, error, words = ERRORS[case]
    with pytest.raises(error, match=re.escape(words)):
        call()


def test_without_dask():
    program = """
import sys
sys.modules["dask"] = None
import numpy as np, fastconv
try:
    fastconv.dask.apply(fastconv.MaxPool2d(2), np.ones((4, 4, 1)))
except ImportError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "pip install 'dask[array]>=2025.1'" in told


def test_is_imported_late():
    program = "import sys, fastconv; fastconv.dask; print('dask' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told == "False\n"
