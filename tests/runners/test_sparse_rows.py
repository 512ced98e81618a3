"""Maps far larger than what is read of them: long strides and dilations over padding, and very many rows."""

import textwrap
from itertools import product

import numpy as np
import pytest
from cases import integers

import fastconv

FAR = 2**28
CHANNELS = {"plain": (3, 5, 1), "depthwise": (1, 4, 4), "full vectors": (16, 33, 1), "groups": (4, 34, 2)}
SPARSE = {  # options that give a small result, of which the rows or columns between are gigabytes
    "long stride": {"stride": (1, FAR), "padding": ((1, 1), (FAR, FAR))},
    "its other end": {"stride": (1, FAR), "padding": ((1, 1), (FAR - 7, 2 * FAR))},
    "long dilation": {"dilation": (1, FAR), "padding": ((1, 1), (FAR, FAR))},
    "both": {"stride": (1, FAR), "dilation": (1, FAR), "padding": ((0, 0), (FAR + 3, FAR))},
    "long stride of rows": {"stride": (FAR, 1), "padding": ((FAR, FAR), (1, 1))},
    "long dilation of rows": {"dilation": (FAR, 1), "padding": ((FAR, FAR), (1, 1))},
    "in between": {"stride": (2, 30), "dilation": (1, 2), "padding": ((1, 1), (50, 70))},
}


def taps_of(size, outputs, taps, stride, before, dilation):
    """(place of the output, tap, place of the input) of all products along an axis."""
    for place, tap in product(range(outputs), range(taps)):
        at = place * stride - before + tap * dilation
        if 0 <= at < size:
            yield place, tap, at


def expected(x, weight, stride=(1, 1), dilation=(1, 1), padding=((0, 0), (0, 0)), groups=1):
    """The sum of the products that are not with padding: the reference would lay the padding out."""
    kernel, (height, width, channels), out_channels = weight.shape[:2], x.shape, weight.shape[3]
    outputs = [
        (n + sum(sides) - (k - 1) * d - 1) // s + 1
        for n, sides, k, d, s in zip((height, width), padding, kernel, dilation, stride, strict=True)
    ]
    y = np.zeros((*outputs, out_channels))
    axes = zip((height, width), outputs, kernel, stride, (padding[0][0], padding[1][0]), dilation, strict=True)
    split = x.reshape(height, width, groups, channels // groups).astype(float)
    by_group = weight.reshape(*weight.shape[:3], groups, -1).astype(float)
    for (p, r, i), (q, s, j) in product(*(list(taps_of(*axis)) for axis in axes)):
        y[p, q] += np.einsum("gc,cgk->gk", split[i, j], by_group[r, s]).reshape(-1)
    return y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("sparse", SPARSE)
def test_what_is_not_read_takes_no_memory(sparse, channels, dtype):
    (c, k, groups), rng = CHANNELS[channels], np.random.default_rng(0)
    x, weight = integers(rng, (10, 11, c * groups), dtype), integers(rng, (3, 3, c, k), dtype)
    options = {**SPARSE[sparse], "groups": groups}
    want = expected(x, weight, **options)
    for num_threads in (1, 2, 3):
        plan = fastconv.Conv2d(weight, **options, num_threads=num_threads)
        assert plan.describe(x.shape).workspace_bytes <= 200_000 * num_threads
        np.testing.assert_array_equal(plan(x), want)
        np.testing.assert_array_equal(plan(np.stack([x, -x])), [want, -want])


def test_the_gathered_pixels_give_the_bits_of_a_dense_map():
    """The same products with a shorter stride or dilation, over a map that lies as far apart."""
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((6, 5, 16), np.float32), rng.standard_normal((3, 3, 16, 32), np.float32)
    far = np.zeros((6, 161, 16), np.float32)
    far[:, ::40] = x
    near = fastconv.Conv2d(weight, dilation=2, padding=((2, 2), (2, 2)), algorithm="direct")
    spread = np.zeros((6, 9, 16), np.float32)
    spread[:, ::2] = x
    plan = fastconv.Conv2d(weight, dilation=(2, 40), stride=(1, 40), padding=((2, 2), (40, 40)), algorithm="direct")
    np.testing.assert_array_equal(plan(far), near(spread)[:, ::2])


def test_the_rows_of_a_map_are_not_counted_one_by_one(run_python):
    """In a process with 20 seconds of CPU time, of which a loop over 2³¹ rows takes about as many for each map."""
    code = """
        import resource

        import numpy as np

        import fastconv

        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        rows, far = 2**31 - 1, 2**29
        for weight, options, inside in [
            ((3, 3, 4, 8), {"padding": 1}, (3 * rows - 2) * 24),
            ((3, 3, 1, 8), {"padding": 1, "groups": 8}, (3 * rows - 2) * 24),
            ((3, 3, 64, 16), {"padding": 1}, (3 * rows - 6) * 22 + 4 * 24),  # columns are left out of whole rows
            ((3, 3, 4, 8), {"padding": ((far, far), (1, 1)), "dilation": (far, 1)}, (3 * rows - 2 * far) * 24),
        ]:
            plan = fastconv.Conv2d(np.ones(weight, np.float32), **options, algorithm="direct")
            described = plan.describe((rows, 8, weight[2] * options.get("groups", 1)))
            assert described.macs == rows * 72 * weight[2] * weight[3]
            assert described.multiplications == inside * weight[2] * weight[3], (weight, options)
    """
    run_python("-c", textwrap.dedent(code))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2, 5])
@pytest.mark.parametrize("padding", [(0, 0), (1, 3), (9, 0), (0, 14), (12, 12)])
def test_the_multiplications_are_those_of_the_taps_inside(padding, dilation, stride):
    weight = np.ones((3, 1, 2, 16), np.float32)
    plan = fastconv.Conv2d(
        weight, stride=(stride, 1), dilation=(dilation, 1), padding=(padding, (0, 0)), algorithm="direct"
    )
    described = plan.describe((11, 8, 2))
    rows = described.macs // (3 * 8 * 2 * 16)
    inside = len(list(taps_of(11, rows, 3, stride, padding[0], dilation)))
    assert described.multiplications == inside * 8 * 2 * 16
