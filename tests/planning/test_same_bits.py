"""The result has the same bits however it is asked for: any number of threads, any batch, any out, plan or function."""

from functools import partial

import numpy as np
import pytest
from cases import SMALL_BLOCKS, block_cases, conv_cases, normals, pointwise_cases, pool_cases
from hypothesis import given, settings
from hypothesis import strategies as st

import fastconv

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")

# Real sizes, with several pixel blocks and blocks of channels; (x, weight, options).
LARGE = {
    "3×3 padded": ((3, 28, 28, 96), (3, 3, 96, 72), {"padding": 1}),
    "3×3 strided": ((2, 29, 27, 64), (3, 3, 64, 33), {"stride": 2, "padding": "same"}),
    "rows in the padding": ((2, 7, 7, 300), (3, 3, 300, 130), {"padding": 1}),
    "more rows in the padding": ((2, 14, 13, 130), (5, 5, 130, 72), {"padding": 2}),
    "first layer": ((2, 64, 64, 3), (7, 7, 3, 24), {"stride": 2, "padding": 3}),
    "groups": ((2, 20, 20, 48), (5, 5, 16, 33), {"groups": 3, "padding": 2}),
    "depthwise": ((2, 40, 40, 40), (3, 3, 1, 40), {"groups": 40, "padding": 1}),
    "columns of the kernel in the padding": ((3, 21, 13, 260), (3, 3, 260, 70), {"padding": 1}),
    "depthwise with a large kernel": ((2, 30, 30, 40), (23, 23, 1, 40), {"groups": 40, "padding": 11}),
    "sums kept between rows of the kernel": ((2, 14, 13, 512), (3, 3, 512, 32), {"stride": 2, "padding": 1}),
    "1×1": ((3, 14, 14, 520), (1, 1, 520, 130), {}),
    "1×1 strided": ((2, 28, 28, 260), (1, 1, 260, 65), {"stride": 2}),
    "dilated": ((2, 24, 24, 32), (3, 3, 32, 40), {"dilation": 3}),
}


def assert_same_bits(got, want):
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    assert got.tobytes() == want.tobytes()


def large(name, dtype):
    x_shape, weight_shape, options = LARGE[name]
    rng = np.random.default_rng(0)
    x, weight = normals(rng, x_shape, dtype), normals(rng, weight_shape, dtype)
    return x, weight, normals(rng, weight_shape[3:], dtype), options


def algorithms(name):
    return ["auto", "direct", "fip", "blas"] if LARGE[name][1][:2] == (1, 1) else ["auto", "direct"]


EVERY = [(name, algorithm) for name in LARGE for algorithm in algorithms(name)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "algorithm"), EVERY)
def test_threads_batches_and_calls_of_large_layers(name, algorithm, dtype):
    x, weight, bias, options = large(name, dtype)
    options = {**options, "algorithm": algorithm, "activation": "relu"}
    want = fastconv.conv2d(x, weight, bias, **options, num_threads=1)
    for num_threads in (2, 3, 8):
        for _ in range(2):  # which thread does what differs from call to call
            assert_same_bits(fastconv.conv2d(x, weight, bias, **options, num_threads=num_threads), want)
    plan = fastconv.Conv2d(weight, bias, **options, num_threads=2)
    for image, image_want in zip(x, want, strict=True):
        assert_same_bits(plan(image), image_want)
        assert_same_bits(plan(image[None]), image_want[None])
    assert_same_bits(plan(x[:2]), want[:2])


@pytest.mark.parametrize(("name", "algorithm"), EVERY)
@pytest.mark.parametrize("first", [0, 3])
def test_a_slice_of_channels_as_out(name, algorithm, first):
    x, weight, bias, options = large(name, "float32")
    options = {**options, "algorithm": algorithm, "num_threads": 2}
    want = fastconv.conv2d(x, weight, bias, **options)
    end = first + want.shape[-1]
    joined = np.full((*want.shape[:-1], end + 5), np.nan, np.float32)
    out = joined[..., first:end]
    assert fastconv.conv2d(x, weight, bias, **options, out=out) is out
    assert_same_bits(out.copy(), want)
    assert np.isnan(joined[..., :first]).all()  # the neighbours' channels
    assert np.isnan(joined[..., end:]).all()


@pytest.mark.parametrize("algorithm", ["direct", "fip", "blas"])
def test_every_second_image_of_an_array_as_out(algorithm):
    rng = np.random.default_rng(0)
    x, weight = normals(rng, (3, 6, 5, 8), "float32"), normals(rng, (8, 9), "float32")
    twice = np.full((6, 6, 5, 12), np.nan, np.float32)
    fastconv.pointwise(x, weight, algorithm=algorithm, out=twice[::2, ..., 1:10], num_threads=2)
    assert_same_bits(twice[::2, ..., 1:10].copy(), fastconv.pointwise(x, weight, algorithm=algorithm))
    assert np.isnan(twice).sum() == twice.size - 3 * 6 * 5 * 9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("algorithm", ["direct", "fip", "blas"])
def test_a_batch_of_maps_of_one_pixel(algorithm, dtype):
    """Which together could be one matrix: of it a BLAS rounds a row as the others are many."""
    rng = np.random.default_rng(0)
    x, plan = (
        normals(rng, (9, 1, 1, 36), dtype),
        fastconv.Conv2d(normals(rng, (1, 1, 36, 9), dtype), algorithm=algorithm),
    )
    for image, image_want in zip(x, plan(x), strict=True):
        assert_same_bits(plan(image), image_want)


def assert_every_way(function, **batches):
    """The same bits with any number of threads, into an `out`, and image by image of the batches."""
    want = function(**batches, num_threads=1)
    for num_threads in (2, 3):
        assert_same_bits(function(**batches, num_threads=num_threads), want)
    out = np.full_like(want, np.nan)
    assert function(**batches, out=out) is out
    assert_same_bits(out, want)
    if want.ndim == 4:
        for i, image_want in enumerate(want):
            assert_same_bits(function(**{name: batch[i] for name, batch in batches.items()}), image_want)


@given(st.one_of(conv_cases(), pointwise_cases()), st.sampled_from(["auto", "direct"]))
def test_every_way_to_ask_for_a_convolution(case, algorithm):
    arrays = case.arrays(normals)
    function = fastconv.pointwise if len(case.weight_shape) == 2 else fastconv.conv2d
    batches = {name: arrays.pop(name) for name in ("x", "residual") if name in arrays}
    assert_every_way(partial(function, **arrays, **case.options, algorithm=algorithm), **batches)


@given(pool_cases(), st.sampled_from(["max_pool2d", "avg_pool2d"]))
def test_every_way_to_ask_for_a_pooling(case, name):
    assert_every_way(partial(getattr(fastconv, name), kernel=case.kernel, **case.options), x=case.x(normals))


@pytest.mark.parametrize("name", SMALL_BLOCKS)
@settings(max_examples=30)
@given(data=st.data())
def test_every_way_to_ask_for_a_block(name, data):
    case = data.draw(block_cases(name))
    x, pairs = case.arrays(normals)
    blocks = {n: getattr(fastconv, name)(*pairs, **case.options, num_threads=n) for n in (1, 2, 3)}
    assert_every_way(lambda x, out=None, num_threads=2: blocks[num_threads](x, out=out), x=x)


def test_a_batch_too_large_to_be_kept_between_the_parts_of_a_block():
    rng = np.random.default_rng(0)
    shapes = [(1, 1, 24, 40), (1, 1, 40, 8), (3, 3, 40, 8)]
    block = fastconv.Fire(*[(normals(rng, shape, "float32"), None) for shape in shapes])
    x = normals(rng, (21, 64, 64, 24), "float32")  # 13.8 MB between squeeze and expand
    for image, got in zip(x, block(x), strict=True):
        assert_same_bits(got, block(image))
