"""Exact costs: the counts of the papers, what the functions of one module owe each other, and the errors."""

import dataclasses

import naive
import numpy as np
import pytest

from fastconv import cost


def square(size, c, k):
    return size, size, c, k


REDUCED = square(1, 192, 16), square(5, 16, 32)
INCEPTION_3A = (
    square(1, 192, 64),
    square(1, 192, 96),
    square(3, 96, 128),
    square(1, 192, 16),
    square(5, 16, 32),
    square(1, 192, 32),
)


def test_googlenets_reduction_saves_9_68_times():
    direct = cost.conv2d((28, 28, 192), square(5, 192, 32), padding=2)
    reduced = cost.reduced((28, 28, 192), *REDUCED, padding=2)
    assert direct.macs == 120_422_400
    assert reduced.macs == 12_443_648
    assert round(direct.macs / reduced.macs, 2) == 9.68


def test_macs_are_the_multiplications_of_the_loops():
    """As many as there are iterations in `naive.conv`, those on padding too."""
    x, weight = np.ones((2, 5, 6, 4)), np.ones((3, 2, 2, 6))
    options = {"stride": (2, 1), "padding": ((1, 0), (2, 1)), "dilation": (1, 3), "groups": 2}
    padded = np.pad(x, ((0, 0), (1, 0), (2, 1), (0, 0)), constant_values=1)
    products = naive.conv(padded, weight, **{**options, "padding": ((0, 0), (0, 0))})  # each product is 1
    assert cost.conv2d(x.shape, weight.shape, bias=False, **options).macs == products.sum()


def test_params_and_bytes():
    x_shape, out_elements = (2, 9, 9, 4), 2 * 5 * 5 * 6
    weights = 3 * 3 * 4 * 6
    options = {"stride": 2, "padding": 1}
    got = cost.conv2d(x_shape, square(3, 4, 6), **options)
    assert got.params == weights + 6
    assert got.bytes == 4 * (2 * 9 * 9 * 4 + weights + 6 + out_elements)
    assert cost.conv2d(x_shape, square(3, 4, 6), **options, itemsize=8).bytes == 2 * got.bytes
    unbiased = cost.conv2d(x_shape, square(3, 4, 6), bias=False, **options)
    assert (unbiased.macs, unbiased.params, unbiased.bytes) == (got.macs, weights, got.bytes - 4 * 6)


def test_groups_divide_macs_and_weights():
    whole = cost.conv2d((7, 7, 32), square(3, 32, 64), bias=False, padding=1)
    grouped = cost.conv2d((7, 7, 32), square(3, 4, 64), bias=False, padding=1, groups=8)
    assert (whole.macs, whole.params) == (8 * grouped.macs, 8 * grouped.params)


def test_pointwise_is_a_1x1_convolution():
    assert cost.pointwise((2, 9, 9, 4), (4, 6), stride=2) == cost.conv2d((2, 9, 9, 4), square(1, 4, 6), stride=2)


def test_pools_move_bytes_only():
    assert cost.pool2d((2, 55, 55, 96), 3, stride=2) == cost.Cost(0, 0, 4 * 2 * 96 * (55 * 55 + 27 * 27))
    assert cost.pool2d((28, 28, 8), 3, stride=1, padding=1, itemsize=8) == cost.Cost(0, 0, 8 * 8 * 2 * 28 * 28)
    assert cost.pool2d((8, 6, 4), 3, stride=2) == cost.Cost(0, 0, 4 * 4 * (8 * 6 + 3 * 2))
    assert cost.pool2d((8, 6, 4), 3, stride=2, ceil_mode=True) == cost.Cost(0, 0, 4 * 4 * (8 * 6 + 4 * 3))


BLOCKS = {
    "mlpconv": (
        cost.mlpconv((2, 9, 9, 4), square(3, 4, 6), square(1, 6, 5), square(1, 5, 7), stride=2, padding=1),
        [
            cost.conv2d((2, 9, 9, 4), square(3, 4, 6), stride=2, padding=1),
            cost.conv2d((2, 5, 5, 6), square(1, 6, 5)),
            cost.conv2d((2, 5, 5, 5), square(1, 5, 7)),
        ],
        2 * (9 * 9 * 4 + 5 * 5 * 7),
    ),
    "reduced": (
        cost.reduced((28, 28, 192), *REDUCED, padding=2),
        [cost.conv2d((28, 28, 192), REDUCED[0]), cost.conv2d((28, 28, 16), REDUCED[1], padding=2)],
        28 * 28 * (192 + 32),
    ),
    "bottleneck": (
        cost.bottleneck((8, 8, 16), square(1, 16, 4), square(3, 4, 4), square(1, 4, 16)),
        [
            cost.conv2d((8, 8, 16), square(1, 16, 4)),
            cost.conv2d((8, 8, 4), square(3, 4, 4), padding=1),
            cost.conv2d((8, 8, 4), square(1, 4, 16)),
        ],
        2 * 8 * 8 * 16,
    ),
    "bottleneck of a rectangular kernel": (
        cost.bottleneck((8, 8, 16), square(1, 16, 4), (5, 1, 4, 4), square(1, 4, 16)),
        [
            cost.conv2d((8, 8, 16), square(1, 16, 4)),
            cost.conv2d((8, 8, 4), (5, 1, 4, 4), padding=(2, 0)),
            cost.conv2d((8, 8, 4), square(1, 4, 16)),
        ],
        2 * 8 * 8 * 16,
    ),
    "projected bottleneck": (
        cost.bottleneck((8, 8, 16), square(1, 16, 4), square(3, 4, 4), square(1, 4, 24), square(1, 16, 24), stride=2),
        [
            cost.conv2d((8, 8, 16), square(1, 16, 4)),
            cost.conv2d((8, 8, 4), square(3, 4, 4), padding=1, stride=2),
            cost.conv2d((4, 4, 4), square(1, 4, 24)),
            cost.conv2d((8, 8, 16), square(1, 16, 24), stride=2),
        ],
        8 * 8 * 16 + 4 * 4 * 24,
    ),
    "projected bottleneck v1": (
        cost.bottleneck(
            *((8, 8, 16), square(1, 16, 4), square(3, 4, 4), square(1, 4, 24), square(1, 16, 24)),
            stride=2,
            stride_in="reduce",
        ),
        [
            cost.conv2d((8, 8, 16), square(1, 16, 4), stride=2),
            cost.conv2d((4, 4, 4), square(3, 4, 4), padding=1),
            cost.conv2d((4, 4, 4), square(1, 4, 24)),
            cost.conv2d((8, 8, 16), square(1, 16, 24), stride=2),
        ],
        8 * 8 * 16 + 4 * 4 * 24,
    ),
    "fire": (
        cost.fire((55, 55, 96), square(1, 96, 16), square(1, 16, 64), square(3, 16, 64)),
        [
            cost.conv2d((55, 55, 96), square(1, 96, 16)),
            cost.conv2d((55, 55, 16), square(1, 16, 64)),
            cost.conv2d((55, 55, 16), square(3, 16, 64), padding=1),
        ],
        55 * 55 * (96 + 128),
    ),
    "inception": (
        cost.inception((28, 28, 192), *INCEPTION_3A),
        [
            cost.conv2d((28, 28, 192), INCEPTION_3A[0]),
            cost.conv2d((28, 28, 192), INCEPTION_3A[1]),
            cost.conv2d((28, 28, 96), INCEPTION_3A[2], padding=1),
            cost.conv2d((28, 28, 192), INCEPTION_3A[3]),
            cost.conv2d((28, 28, 16), INCEPTION_3A[4], padding=2),
            cost.conv2d((28, 28, 192), INCEPTION_3A[5]),
        ],
        28 * 28 * (192 + 256),
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_costs_what_its_convolutions_do_and_moves_only_its_ends(name):
    block, convolutions, ends = BLOCKS[name]
    total = sum(convolutions, cost.Cost())
    assert (block.macs, block.params) == (total.macs, total.params)
    assert block.bytes == 4 * (ends + block.params)


def test_nchw_costs_the_same():
    def oihw(part):
        r, s, c, k = part
        return k, c, r, s

    x_shape = (192, 28, 28)
    assert cost.conv2d(x_shape, oihw(square(5, 192, 32)), padding=2, layout="NCHW").macs == 120_422_400
    assert cost.pointwise(x_shape, (16, 192), layout="NCHW") == cost.pointwise((28, 28, 192), (192, 16))
    assert cost.pool2d((2, *x_shape), 2, layout="NCHW") == cost.pool2d((2, 28, 28, 192), 2)
    got = cost.inception(x_shape, *map(oihw, INCEPTION_3A), layout="NCHW")
    assert got == cost.inception((28, 28, 192), *INCEPTION_3A)


def test_costs_add_up():
    total = cost.Cost(1, 20, 300) + cost.Cost(2, 30, 400)
    assert total == cost.Cost(3, 50, 700)
    assert sum([total, total], cost.Cost()) == cost.Cost(6, 100, 1400)
    with pytest.raises(TypeError):
        total + 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        total.macs = 0


def test_costs_are_exact_beyond_64_bits():
    got = cost.conv2d((2**11, 2**12, 2**20), square(3, 2**20, 2**20))
    assert got.macs == (2**11 - 2) * (2**12 - 2) * 9 * 2**40 > 2**64


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("weight", lambda: cost.conv2d((8, 8, 3), square(3, 4, 4))),
        ("weight spans 9", lambda: cost.conv2d((8, 8, 3), square(9, 3, 4))),
        (r"shape \(C, K\) in layout NHWC, got \(3,\)$", lambda: cost.pointwise((8, 8, 3), (3,))),
        ("x must have shape", lambda: cost.conv2d((8, 8), square(1, 8, 8))),
        ("layout", lambda: cost.fire((8, 8, 4), *[square(1, 4, 4)] * 3, layout="CHWN")),
        ("padding must be smaller", lambda: cost.pool2d((8, 8, 3), 2, padding=2)),
        (
            "cccp2 .* takes 5 channels .* cccp1 has 6",
            lambda: cost.mlpconv((8, 8, 4), square(3, 4, 6), square(1, 6, 6), square(1, 5, 5)),
        ),
        ("cccp1 must have a 1×1 kernel", lambda: cost.mlpconv((8, 8, 4), square(3, 4, 6), square(3, 6, 6))),
        (
            "conv .* takes 17 channels .* reduce has 16",
            lambda: cost.reduced((8, 8, 4), square(1, 4, 16), square(5, 17, 8)),
        ),
        ("conv: weight spans 5", lambda: cost.reduced((4, 4, 4), square(1, 4, 16), square(5, 16, 8))),
        ("reduce: weight of shape", lambda: cost.reduced((8, 8, 5), square(1, 4, 16), square(5, 16, 8))),
        ("expand3x3 must have a 3×3", lambda: cost.fire((8, 8, 4), square(1, 4, 2), square(1, 2, 4), square(1, 2, 4))),
        (
            "expand1x1 .* takes 3 .* squeeze has 2",
            lambda: cost.fire((8, 8, 4), square(1, 4, 2), square(1, 3, 4), square(3, 2, 4)),
        ),
        ("odd kernel", lambda: cost.bottleneck((8, 8, 4), square(1, 4, 2), square(2, 2, 2), square(1, 2, 4))),
        ("odd kernel", lambda: cost.bottleneck((8, 8, 4), square(1, 4, 2), (3, 4, 2, 2), square(1, 2, 4))),
        (
            "shortcut must be a projection",
            lambda: cost.bottleneck((8, 8, 4), square(1, 4, 2), square(3, 2, 2), square(1, 2, 8)),
        ),
        (
            "shortcut must be a projection",
            lambda: cost.bottleneck((8, 8, 4), square(1, 4, 2), square(3, 2, 2), square(1, 2, 4), stride=2),
        ),
        (
            "shortcut .* must give the 8",
            lambda: cost.bottleneck((8, 8, 4), square(1, 4, 2), square(3, 2, 2), square(1, 2, 8), square(1, 4, 4)),
        ),
        (
            "shortcut .* takes 5",
            lambda: cost.bottleneck((8, 8, 4), square(1, 4, 2), square(3, 2, 2), square(1, 2, 8), square(1, 5, 8)),
        ),
        (
            "stride_in",
            lambda: cost.bottleneck((8, 8, 4), square(1, 4, 2), square(3, 2, 2), square(1, 2, 4), stride_in="expand"),
        ),
        (
            "reduce5x5 .* takes 191",
            lambda: cost.inception((28, 28, 192), *INCEPTION_3A[:3], square(1, 191, 16), *INCEPTION_3A[4:]),
        ),
    ],
)
def test_errors_name_the_part(message, call):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: cost.conv2d((8, 8, 8), np.ones((3, 3, 8, 4))),
            r"weight's shape must be .* ndarray; give weight.shape$",
        ),
        (lambda: cost.conv2d((8, 8, 8), (3, 3, 8, 4), bias=np.ones(4)), "bias must be True or False, got ndarray$"),
        (lambda: cost.fire((8, 8, 4), *[(1, 1, 4, 4)] * 3, bias=None), "bias must be True or False, got NoneType$"),
    ],
)
def test_arrays_in_the_place_of_shapes_are_not_printed(call, message):
    with pytest.raises(TypeError, match=message):
        call()
