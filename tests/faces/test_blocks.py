"""The blocks against the reference."""

import gc
import weakref

import numpy as np
import pytest
from cases import SMALL_BLOCKS, block_cases, integers, non_finite, normals, small_block
from compare import assert_block, assert_equal_exact
from hypothesis import given, settings
from hypothesis import strategies as st

import fastconv
from fastconv import cost, reference
from fastconv._planning import prepared_graph

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")


def slow_twin(name):
    return getattr(reference, name.lower())


@pytest.mark.usefixtures("exact_algorithms")
@pytest.mark.parametrize("name", SMALL_BLOCKS)
@settings(max_examples=40)
@given(data=st.data())
def test_whole_numbers_exactly(name, data):
    case = data.draw(block_cases(name))
    x, pairs = case.arrays(integers)
    want = slow_twin(name)(x, *pairs, **case.options)
    for num_threads in (1, 2, 3):
        block = getattr(fastconv, name)(*pairs, **case.options, num_threads=num_threads)
        assert_equal_exact(block(x), want, case.dtype)


@pytest.mark.parametrize("values", [normals, non_finite])
@pytest.mark.parametrize("name", SMALL_BLOCKS)
@settings(max_examples=25)
@given(data=st.data())
def test_any_numbers_within_the_bound(name, values, data):
    case = data.draw(block_cases(name))
    x, pairs = case.arrays(values)
    block = getattr(fastconv, name)(*pairs, **case.options, num_threads=2)
    assert_block(block(x), slow_twin(name), x, pairs, **case.options)


@pytest.mark.parametrize("name", SMALL_BLOCKS)
@settings(max_examples=25)
@given(data=st.data())
def test_cost_and_description_agree(name, data):
    case = data.draw(block_cases(name))
    _, pairs = case.arrays(integers)
    block = getattr(fastconv, name)(*pairs, **case.options)
    options = {option: value for option, value in case.options.items() if option != "activation"}
    options |= {"bias": case.bias, "itemsize": np.dtype(case.dtype).itemsize}
    want = getattr(cost, name.lower())(case.x_shape, *case.weights, **options)
    assert block.cost(case.x_shape) == want
    assert block.describe(case.x_shape).macs == want.macs
    assert want.macs == sum(part.macs for part in block.describe(case.x_shape).parts.values())


@pytest.mark.parametrize("name", SMALL_BLOCKS)
def test_a_batch_some_images_at_a_time(name, monkeypatch):
    x, pairs = small_block(name)
    x = normals(np.random.default_rng(0), (7, *x.shape[1:]), "float32")
    block = getattr(fastconv, name)(*pairs.values(), num_threads=2)
    want = np.concatenate([block(image[None]) for image in x])
    monkeypatch.setattr(prepared_graph, "_SCRATCH_BYTES", 3 * block.describe(x.shape[1:]).scratch_bytes)
    joined = np.full((*want.shape[:-1], want.shape[-1] + 5), 5, np.float32)
    block(x, out=joined[..., 2:-3])
    np.testing.assert_array_equal(joined[..., 2:-3], want)
    for _ in range(2):  # the second finds what the first has prepared
        np.testing.assert_array_equal(block(x, out=np.full_like(want, 5)), want)
    assert block.describe(x.shape).scratch_bytes < 4 * block.describe(x.shape[1:]).scratch_bytes


@pytest.mark.parametrize("name", SMALL_BLOCKS)
def test_a_slice_of_channels_as_out(name):
    x, pairs = small_block(name)
    block = getattr(fastconv, name)(*pairs.values())
    want = block(x)
    joined = np.full((*want.shape[:-1], want.shape[-1] + 7), 5, np.float32)
    assert block(x, out=joined[..., 3:-4]).base is joined
    np.testing.assert_array_equal(joined[..., 3:-4], want)
    np.testing.assert_array_equal(np.delete(joined, np.s_[3:-4], -1), 5)


@pytest.mark.parametrize("name", SMALL_BLOCKS)
@pytest.mark.parametrize("form", [np.asfortranarray, lambda x: x[::-1, ::-1, ::-1], lambda x: x.astype(">f4")])
def test_other_forms_of_x(name, form):
    x, pairs = small_block(name)
    block, x = getattr(fastconv, name)(*pairs.values()), form(x)
    np.testing.assert_array_equal(block(x), block(np.ascontiguousarray(x, np.float32)))


@pytest.mark.parametrize("name", SMALL_BLOCKS)
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_batch_of_none(name, layout):
    x, pairs = small_block(name, layout, dtype="float64")
    block = getattr(fastconv, name)(*pairs.values(), layout=layout)
    y = block(x[:0])
    assert y.shape == (0, *block(x).shape[1:])
    assert y.dtype == np.float64


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_the_description_tells_of_a_conversion_of_the_layout(layout):
    x, pairs = small_block("Fire", layout)
    text = str(fastconv.Fire(*pairs.values(), layout=layout).describe(x.shape))
    assert ("NCHW" in text) == (layout == "NCHW")


@pytest.mark.parametrize("name", SMALL_BLOCKS)
def test_maps_one_pixel_wide_whose_strides_mean_nothing(name):
    """NumPy calls an array contiguous whatever the stride of an axis of length 1 is."""
    x, pairs = small_block(name)
    block = getattr(fastconv, name)(*pairs.values(), **({"padding": 1} if name in ("MLPConv", "Reduced") else {}))
    line = np.ascontiguousarray(x[0, :, :1])  # (H, 1, C)
    want = block(line)
    for odd in (line[:, 0][:, None], line.swapaxes(0, 1).copy().swapaxes(0, 1), line[None, :, 0][:, :, None][0]):
        np.testing.assert_array_equal(block(odd), want)
        out = np.zeros((want.shape[0], want.shape[2]), np.float32)[:, None]
        np.testing.assert_array_equal(block(odd, out=out), want)


def test_a_dropped_block_is_freed_at_once():
    x, pairs = small_block("Fire")
    block = fastconv.Fire(*pairs.values())
    block(x)
    gone = weakref.ref(block._convs["squeeze"])
    gc.disable()
    try:
        del block
        assert gone() is None  # no cycle keeps the weights until the next collection
    finally:
        gc.enable()
