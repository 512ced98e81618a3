"""Rows of a kernel that take turns over the tiles keep their sums in between, and the bits of one chain of chunks."""

import numpy as np
import pytest

import fastconv
from fastconv._kernels import cpu

SUM_TERMS = 256  # csrc/kernels.h
FUSED = pytest.mark.skipif(cpu.active() == "scalar", reason="the sums are those of fused multiply-adds")


def direct(x, weight, stride, padding):
    """A convolution as csrc/conv_tile.h defines it, term by term.

    Taps in the padding are left out: without a bias, chunks of zeros do not change a sum.
    """
    (height, width, channels), (rows, cols, _, outs) = x.shape, weight.shape
    out_height = (height + 2 * padding - rows) // stride + 1
    out_width = (width + 2 * padding - cols) // stride + 1
    y = np.empty((out_height, out_width, outs), np.float32)
    for p, q in np.ndindex(out_height, out_width):
        top, left = p * stride - padding, q * stride - padding
        seen = [
            (x[top + r, left + s, c], weight[r, s, c])
            for r in range(rows)
            for s in range(cols)
            for c in range(channels)
            if 0 <= top + r < height and 0 <= left + s < width
        ]
        total, acc = np.zeros(outs, np.float32), np.zeros(outs, np.float32)
        for start in range(0, len(seen), SUM_TERMS):
            for value, weights in seen[start : start + SUM_TERMS]:
                acc = (np.float64(value) * weights + acc).astype(np.float32)
            total, acc = acc + total, np.zeros(outs, np.float32)
        y[p, q] = total
    return y


@FUSED
@pytest.mark.parametrize(
    ("size", "channels", "kernel", "stride", "padding"),
    [
        ((9, 10), 512, 3, 2, 1),  # rows and columns of the kernel lie in the padding
        ((5, 6), 512, 3, 1, 0),
        ((3, 3), 512, 3, 1, 3),  # pixels see no row, or no column
        ((2, 5), 768, 3, 1, 1),
        ((6, 9), 512, 3, 3, 2),
    ],
)
def test_bits_of_a_sum_in_parts(size, channels, kernel, stride, padding):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((*size, channels), np.float32)
    weight = rng.standard_normal((kernel, kernel, channels, 32), np.float32)
    want = direct(x, weight, stride, padding)
    residual = rng.standard_normal(want.shape, np.float32)
    for threads in (1, 2):
        plan = fastconv.Conv2d(weight, stride=stride, padding=padding, algorithm="direct", num_threads=threads)
        np.testing.assert_array_equal(plan(x), want)
        np.testing.assert_array_equal(plan(x, residual=residual), want + residual)


@pytest.mark.skipif(cpu.active() == "scalar", reason="the baseline has no tiles that keep sums")
def test_all_rows_of_a_map_go_over_the_weights_together():
    plan = fastconv.Conv2d(np.ones((3, 3, 512, 32), np.float32), stride=2, padding=1, num_threads=1)
    prepared, _ = plan._bind(((14, 14, 512),))
    assert prepared.runner.pixel_blocks == 1
