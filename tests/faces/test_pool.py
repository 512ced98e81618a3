"""Pooling against the reference, and what it rejects."""

from functools import partial

import numpy as np
import pytest
from cases import huge, integers, non_finite, normals, pool_cases
from compare import assert_close, assert_equal_exact
from hypothesis import given
from hypothesis import strategies as st

import fastconv
from fastconv import reference

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
THREADS = 1, 2, 3
X = normals(np.random.default_rng(0), (2, 9, 11, 5), "float32")


def assert_averages(results, x, kernel, **options):
    want, magnitude = (reference.avg_pool2d(values, kernel, **options) for values in (x, np.abs(x)))
    for got in results:
        assert_close(got, want, magnitude, np.prod(np.broadcast_to(kernel, 2)) + 1, x.dtype)


@pytest.mark.parametrize("values", [normals, non_finite, huge])
@given(case=pool_cases())
def test_maxima_exactly(values, case):
    x = case.x(values)
    want = reference.max_pool2d(x, case.kernel, **case.options)
    assert want.shape == case.out_shape
    for num_threads in THREADS:
        got = fastconv.max_pool2d(x, case.kernel, **case.options, num_threads=num_threads)
        assert_equal_exact(got, want, case.dtype)


@pytest.mark.parametrize("values", [normals, non_finite, huge])
@given(case=pool_cases(), counts=st.booleans())
def test_averages_within_the_bound(values, case, counts):
    x, options = case.x(values), {**case.options, "count_include_pad": counts}
    results = [fastconv.avg_pool2d(x, case.kernel, **options, num_threads=n) for n in THREADS]
    assert results[0].shape == case.out_shape
    assert_averages(results, x, case.kernel, **options)


@pytest.mark.parametrize("values", [normals, non_finite, huge])
@given(case=pool_cases())
def test_global_pools_within_the_bound(values, case):
    x, layout = case.x(values), case.options["layout"]
    size = x.shape[-3:-1] if layout == "NHWC" else x.shape[-2:]
    results = [fastconv.global_avg_pool2d(x, layout=layout, num_threads=n) for n in THREADS]
    assert_averages(results, x, size, layout=layout)
    np.testing.assert_array_equal(results[0], fastconv.avg_pool2d(x, size, layout=layout))
    want = reference.global_max_pool2d(x, layout=layout)
    assert_equal_exact(fastconv.global_max_pool2d(x, layout=layout), want, case.dtype)


@given(pool_cases())
def test_averages_of_whole_numbers_exactly(case):
    x = case.x(integers)
    kernel = 4, 2  # eighths are exact
    padding = ((3, 3), (1, 1))
    want = reference.avg_pool2d(x, kernel, padding=padding, stride=1, layout=case.options["layout"])
    got = fastconv.avg_pool2d(x, kernel, padding=padding, stride=1, layout=case.options["layout"])
    assert_equal_exact(got, want, case.dtype)


def test_padding_is_never_the_maximum_but_counts_in_the_average():
    x = np.full((2, 2, 1), -6.0)
    np.testing.assert_array_equal(fastconv.max_pool2d(x, 3, stride=1, padding=1), -6)
    np.testing.assert_array_equal(fastconv.avg_pool2d(x, 2, stride=2, padding=1)[..., 0], -1.5)
    np.testing.assert_array_equal(fastconv.max_pool2d(np.full((2, 2, 1), -np.inf), 2, padding=1), -np.inf)


@pytest.mark.parametrize("kind", ["max_pool2d", "avg_pool2d"])
def test_a_slice_of_channels_as_out(kind):
    joined = np.full((2, 4, 5, 12), 7, np.float32)
    out = joined[..., 3:8]
    assert getattr(fastconv, kind)(X, 2, out=out) is out
    np.testing.assert_array_equal(out, getattr(fastconv, kind)(X, 2))
    np.testing.assert_array_equal(np.delete(joined, np.s_[3:8], -1), 7)


def test_a_global_average_into_a_slice_of_channels():
    joined = np.full((2, 1, 1, 12), 7, np.float32)
    assert fastconv.global_avg_pool2d(X, out=joined[..., 3:8]).base is joined
    np.testing.assert_array_equal(joined[..., 3:8], fastconv.global_avg_pool2d(X))
    fastconv.global_max_pool2d(X, out=joined[..., 3:8])
    np.testing.assert_array_equal(joined[..., 3:8], X.max((1, 2), keepdims=True))
    np.testing.assert_array_equal(np.delete(joined, np.s_[3:8], -1), 7)


@pytest.mark.parametrize("num_threads", [2, 3])
@pytest.mark.parametrize("channels", [63, 128, 1000])
def test_few_rows_are_partitioned_by_channels(channels, num_threads):
    x = normals(np.random.default_rng(0), (2, 5, 9, channels), "float32")
    for pool in (fastconv.global_max_pool2d, fastconv.global_avg_pool2d, partial(fastconv.max_pool2d, kernel=4)):
        joined = np.full((2, 1, 2, channels + 3), 7, np.float32)[:, :, : pool(x).shape[2]]
        pool(x, out=joined[..., 1:-2], num_threads=num_threads)
        np.testing.assert_array_equal(joined[..., 1:-2], pool(x, num_threads=1))
        np.testing.assert_array_equal(np.delete(joined, np.s_[1:-2], -1), 7)


def test_large_averages_do_not_lose_digits():
    x = np.full((1, 300, 301, 3), np.float32(1.1))
    np.testing.assert_array_equal(fastconv.global_avg_pool2d(x), np.float32(1.1))


@pytest.mark.parametrize("channels", [3, 16, 67])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_nan_anywhere_in_a_window_is_the_maximum(channels, dtype):
    for pixel in np.ndindex(5, 6):
        x = np.full((5, 6, channels), np.inf, dtype)
        x[pixel] = np.nan
        for options in {"stride": 1, "padding": 1}, {"stride": 2}:
            assert_equal_exact(fastconv.max_pool2d(x, 3, **options), reference.max_pool2d(x, 3, **options), dtype)


def test_maxima_of_rows_too_long_to_be_kept():
    x = normals(np.random.default_rng(0), (3, 130, 130), "float64")
    for num_threads in THREADS:
        got = fastconv.max_pool2d(x, 3, stride=1, padding=1, num_threads=num_threads)
        assert_equal_exact(got, reference.max_pool2d(x, 3, stride=1, padding=1))


def test_a_batch_of_none():
    for layout, shape in ("NHWC", (0, 2, 2, 5)), ("NCHW", (0, 5, 2, 2)):
        x = np.empty((0, 5, 5, 5), np.float32)
        assert fastconv.max_pool2d(x, 2, layout=layout).shape == shape
        assert fastconv.avg_pool2d(x, 2, layout=layout).shape == shape
    assert fastconv.global_avg_pool2d(np.empty((0, 3, 4, 5))).shape == (0, 1, 1, 5)


WRONG = [
    ("x", {"x": X.tolist()}, TypeError),
    ("x", {"x": X.astype(int)}, TypeError),
    ("x", {"x": X.astype(np.float16)}, TypeError),
    ("x", {"x": X > 0}, TypeError),
    ("x", {"x": np.ma.masked_array(X)}, TypeError),
    ("x", {"x": X[0, 0]}, ValueError),
    ("x", {"x": X[None]}, ValueError),
    ("x", {"x": X[..., :0]}, ValueError),
    ("x", {"x": X[:, :0]}, ValueError),
    ("x", {"x": X[:, :, :0]}, ValueError),
    *(("kernel", {"kernel": value}, TypeError) for value in (1.5, 2.0, None, "2", True, float("nan"), [1.0, 2])),
    *(("kernel", {"kernel": value}, ValueError) for value in (0, -1, (2, 0), (2, 2, 2), (), 10**30, 10, (9, 12))),
    *(("stride", {"stride": value}, TypeError) for value in (1.5, 2.0, "2", True, float("nan"))),
    *(("stride", {"stride": value}, ValueError) for value in (0, -1, (2, 0), (1, 1, 1), 10**30, 2**40)),
    *(("padding", {"padding": value}, TypeError) for value in (0.5, None, True, float("nan"), ((0, 0), (0, 0.5)))),
    *(("padding", {"padding": value}, ValueError) for value in (-1, 2, "full", (0, 2), ((0, 2), (0, 0)), 10**30)),
    *(("ceil_mode", {"ceil_mode": value}, TypeError) for value in (1, None, "up")),
    ("layout", {"layout": "HWC"}, ValueError),
    ("layout", {"layout": 4}, TypeError),
    *(("num_threads", {"num_threads": value}, TypeError) for value in (1.5, "2", True)),
    *(("num_threads", {"num_threads": value}, ValueError) for value in (0, -1, 10**30)),
    ("out", {"out": np.ones((2, 4, 5, 5)).tolist()}, TypeError),
    ("out", {"out": np.ones((2, 4, 5, 5))}, TypeError),
    ("out", {"out": np.ones((2, 4, 5, 4), np.float32)}, ValueError),
    ("out", {"out": np.broadcast_to(np.float32(1), (2, 4, 5, 5))}, ValueError),
    ("out", {"out": np.ones((5, 5, 4, 2), np.float32).T}, ValueError),
    ("out", {"out": X.reshape(-1)[:200].reshape(2, 4, 5, 5)}, ValueError),  # part of x
]


@pytest.mark.parametrize("kind", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(("named", "wrong", "error"), WRONG)
def test_pooling_rejects(named, wrong, error, kind):
    with pytest.raises(error, match=rf"\b{named}\b"):
        getattr(fastconv, kind)(**{"x": X, "kernel": 2, **wrong})
    if named not in ("out", "num_threads"):
        with pytest.raises(error, match=rf"\b{named}\b"):
            getattr(reference, kind)(**{"x": X, "kernel": 2, **wrong})


@pytest.mark.parametrize(
    ("named", "wrong", "error"), [row for row in WRONG if row[0] in ("x", "layout", "num_threads")]
)
def test_global_pooling_rejects(named, wrong, error):
    with pytest.raises(error, match=rf"\b{named}\b"):
        fastconv.global_avg_pool2d(**{"x": X, **wrong})
