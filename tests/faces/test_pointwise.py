"""pointwise against the reference, through the direct kernel and through BLAS."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import threadpoolctl
from cases import huge, integers, non_finite, normals, pointwise_cases
from compare import assert_close, assert_equal_exact
from hypothesis import given
from hypothesis import strategies as st

import fastconv
from fastconv import reference
from fastconv._checks.activations import bounds

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
ALGORITHMS = ["direct", "blas"]


def assert_pointwise(got, arrays, options):
    want = reference.pointwise(**arrays, **options)
    absolute = {name: np.abs(array) for name, array in arrays.items()}
    magnitude = reference.pointwise(**absolute, **{**options, "activation": None})
    terms = arrays["weight"].shape[0 if options["layout"] == "NHWC" else 1] + 2
    assert_close(got, want, magnitude, terms, arrays["x"].dtype, bounds(options["activation"]))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(case=pointwise_cases())
def test_whole_numbers_exactly(algorithm, case):
    arrays = case.arrays(integers)
    want = reference.pointwise(**arrays, **case.options)
    assert want.shape == case.out_shape
    for num_threads in (1, 2, 3):
        got = fastconv.pointwise(**arrays, **case.options, algorithm=algorithm, num_threads=num_threads)
        assert_equal_exact(got, want, case.dtype)


@pytest.mark.parametrize("algorithm", ["auto", *ALGORITHMS])
@pytest.mark.parametrize("values", [normals, non_finite, huge])
@given(case=pointwise_cases())
def test_any_numbers_within_the_bound(algorithm, values, case):
    arrays = case.arrays(values)
    assert_pointwise(fastconv.pointwise(**arrays, **case.options, algorithm=algorithm), arrays, case.options)


@given(pointwise_cases(), st.sampled_from(ALGORITHMS))
def test_pointwise_is_conv2d_with_a_1x1_kernel(case, algorithm):
    arrays = case.arrays(normals)
    got = fastconv.pointwise(**arrays, **case.options, algorithm=algorithm)
    nhwc = case.options["layout"] == "NHWC"
    arrays["weight"] = arrays["weight"][None, None] if nhwc else arrays["weight"][..., None, None]
    np.testing.assert_array_equal(got, fastconv.conv2d(**arrays, **case.options, algorithm=algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [(1, 1), (7, 7), (14, 14), (16, 16), (1, 193), (19, 27), (40, 41)])
@pytest.mark.parametrize("stride", [1, 2, (1, 3)])
def test_maps_around_the_size_of_a_slab(size, stride, dtype, algorithm):
    rng = np.random.default_rng(0)
    x, weight, bias = (integers(rng, shape, dtype) for shape in [(2, *size, 19), (19, 33), (33,)])
    want = reference.pointwise(x, weight, bias, stride=stride)
    residual = integers(rng, want.shape, dtype)
    joined = np.full((*want.shape[:-1], 40), 7, dtype)
    options = {"stride": stride, "algorithm": algorithm, "residual": residual, "out": joined[..., 4:37]}
    got = fastconv.pointwise(x, weight, bias, **options, num_threads=3)
    assert_equal_exact(got, want + residual, dtype)
    np.testing.assert_array_equal(np.delete(joined, np.s_[4:37], -1), 7)


def assert_nchw(x_shape, weight_shape, dtype, **options):
    """The 1×1 convolution of whole numbers in layout NCHW is exact, converts nothing and leaves other arrays alone."""
    rng = np.random.default_rng(0)
    x, weight, bias = (integers(rng, shape, dtype) for shape in (x_shape, weight_shape, weight_shape[:1]))
    want = reference.conv2d(x, weight, bias, **options, layout="NCHW")
    residual = integers(rng, want.shape, dtype)
    for num_threads in (1, 2, 3):
        plan = fastconv.Conv2d(weight, bias, **options, layout="NCHW", num_threads=num_threads)
        description = plan.describe(x_shape)
        assert (description.algorithm, description.layout_conversion) == ("direct", "none")
        assert "channels ×" in description.tile
        assert_equal_exact(plan(x), want, dtype)
        assert_equal_exact(plan(x, residual=residual), want + residual, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 23, 24, 25, 37, 100])
def test_the_edges_of_every_tile_in_nchw(rows, dtype):
    for pixels in [*range(1, 19), 23, 31, 32, 33, 47, 48, 49, 63, 64, 65, 79, 196]:
        assert_nchw((5, 1, pixels), (rows, 5, 1, 1), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 130, 2100])
def test_any_number_of_channels_in_nchw(channels, dtype):
    for size in [(1, 1), (1, 3), (7, 7), (5, 9), (14, 15)]:
        assert_nchw((2, channels, *size), (40, channels, 1, 1), dtype)


@pytest.mark.parametrize("rest", [1, 2, 3])
def test_the_last_pixels_of_a_plane_are_as_accurate_as_the_others(rest):
    rng = np.random.default_rng(0)
    x, weight = normals(rng, (8192, 1, 64 + rest), "float32"), normals(rng, (200, 8192), "float32")
    error = fastconv.pointwise(x, weight, layout="NCHW") - reference.pointwise(x, weight, layout="NCHW")
    assert np.square(error[..., -rest:]).mean() <= 2**2 * np.square(error[..., :-rest]).mean()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stride", [1, 2, (1, 3), (3, 1), 100])
@pytest.mark.parametrize("groups", [1, 2, 9])
def test_strides_and_groups_in_nchw(groups, stride, dtype):
    for x_shape in [(2, 36, 13, 17), (1, 36, 1, 40), (1, 36, 40, 1), (0, 36, 3, 3)]:
        assert_nchw(x_shape, (54, 36 // groups, 1, 1), dtype, groups=groups, stride=stride)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_bits_in_nchw(dtype):
    rng = np.random.default_rng(0)
    x, weight = normals(rng, (3, 300, 13, 15), dtype), normals(rng, (130, 300), dtype)
    want = fastconv.pointwise(x, weight, layout="NCHW", num_threads=1)
    assert fastconv.pointwise(x, weight, layout="NCHW", num_threads=3).tobytes() == want.tobytes()
    for image, image_want in zip(x, want, strict=True):
        assert fastconv.pointwise(image, weight, layout="NCHW", num_threads=2).tobytes() == image_want.tobytes()


def test_blas_runs_in_many_python_threads_and_gives_its_threads_back():
    rng = np.random.default_rng(0)
    x, weight = integers(rng, (2, 30, 31, 64), "float32"), integers(rng, (64, 70), "float32")
    want = fastconv.pointwise(x, weight, algorithm="blas")
    before = threadpoolctl.threadpool_info()
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(fastconv.pointwise, x, weight, algorithm="blas", num_threads=n % 3 + 1) for n in range(24)]
        for got in (call.result() for call in calls):
            np.testing.assert_array_equal(got, want)
    assert threadpoolctl.threadpool_info() == before
