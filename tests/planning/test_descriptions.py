"""What plans tell of themselves: algorithm, tile, threads, bytes, multiplications, times."""

import warnings
from itertools import product

import numpy as np
import pytest
from cases import normals

import fastconv
from fastconv._kernels import cpu
from fastconv._planning import machine, teams
from fastconv._planning.description import GraphDescription, figure
from fastconv._runners import winograd

RNG = np.random.default_rng(0)
X = normals(RNG, (2, 12, 11, 6), "float32")
WEIGHT = normals(RNG, (3, 3, 3, 20), "float32")
BIAS = normals(RNG, (20,), "float32")
OPTIONS = {"stride": (1, 2), "padding": "same", "groups": 2, "activation": "relu"}
FIRE = (1, 1, 6, 4), (1, 1, 4, 5), (3, 3, 4, 9)
PAIRS = [(normals(RNG, shape, "float32"), normals(RNG, shape[3:], "float32")) for shape in FIRE]


def test_the_description_of_a_convolution_is_true():
    plan = fastconv.Conv2d(WEIGHT, BIAS, **OPTIONS, num_threads=3)
    description = plan.describe(X.shape)
    outputs = plan(X).size
    assert description.algorithm == "direct"
    assert description.isa == cpu.active()
    assert description.macs == outputs * 3 * 3 * 3 == plan.cost(X.shape).macs
    assert 0 < description.multiplications <= description.macs
    assert description.threads == 1  # too little work for a team
    assert description.packed_bytes >= WEIGHT.nbytes + BIAS.nbytes
    assert description.workspace_bytes >= 0
    assert plan.describe(X.shape[1:]).macs * 2 == description.macs
    assert {"direct", cpu.active(), f"{description.macs:,}"} <= set(str(description).split())
    with pytest.raises(AttributeError):
        description.threads = 8


# Bytes of 64→64 channels, in float32, beside the plan's own weight and bias.
PACKED = {
    ("direct", 3, "NHWC"): 3 * 3 * 64 * 64 * 4 + 64 * 4,
    ("direct", 3, "NCHW"): 3 * 3 * 64 * 64 * 4 + 64 * 4,
    ("winograd", 3, "NHWC"): 6 * 6 * 64 * 64 * 4 + 64 * 4,
    ("winograd", 3, "NCHW"): 6 * 6 * 64 * 64 * 4 + 64 * 4 + 3 * 3 * 64 * 64 * 4,  # and the weights as HWIO
    # 22 steps of three channels; the corrections, scales and bias; equalizers, some beyond the last.
    ("fip", 1, "NHWC"): 22 * 3 * 64 * 4 + 3 * 64 * 4 + (64 + 2 * 48) * 4,
    ("blas", 1, "NHWC"): 64 * 64 * 4 + 64 * 4,
}


@pytest.mark.parametrize(("algorithm", "kernel", "layout"), PACKED)
def test_the_packed_bytes(algorithm, kernel, layout):
    shape = (kernel, kernel, 64, 64) if layout == "NHWC" else (64, 64, kernel, kernel)
    plan = fastconv.Conv2d(
        np.ones(shape, np.float32), np.ones(64, np.float32), padding=kernel // 2, layout=layout, algorithm=algorithm
    )
    x_shape = (56, 56, 64) if layout == "NHWC" else (64, 56, 56)
    assert plan.describe(x_shape).packed_bytes == PACKED[algorithm, kernel, layout]


@pytest.mark.parametrize(("groups", "out_channels"), [(1, 6), (4, 4)])
def test_direct_leaves_out_the_rows_of_the_kernel_in_the_padding(groups, out_channels):
    def multiplications(width=12):
        plan = fastconv.Conv2d(
            weight, stride=stride, padding=((top, bottom), (1, 1)), dilation=dilation, groups=groups, algorithm="direct"
        )
        return plan.describe((2, height, width, 4)).multiplications

    weight = np.ones((5, 3, 4 // groups, out_channels), np.float32)
    for height, top, bottom, stride, dilation in product((1, 2, 7), (0, 2, 9), (2, 9), (1, 2), (1, 3)):
        out_height = (height + top + bottom - 4 * dilation - 1) // stride + 1
        if out_height < 1:
            continue
        rows = [p * stride - top + r * dilation for p in range(out_height) for r in range(5)]
        out_width = (12 + 2 - 2 * dilation - 1) // stride + 1
        in_place = groups == 4 and dilation == 1  # where the first column, and with stride 1 the last, sees two taps
        of_a_row = 2 * (out_width * 3 - in_place * (3 - stride)) * weight[0, 0].size
        assert multiplications() == sum(0 <= row < height for row in rows) * of_a_row
    height, top, bottom, stride, dilation = 7, 2, 2, 1, 1
    assert multiplications(width=3) == 7 * 5 * 2 * 3 * 3 * weight[0, 0].size  # rows too short for tiles of their own
    weight[0, 0, 0, 0] = np.nan
    assert multiplications() == 7 * 5 * 2 * 12 * 3 * weight[0, 0].size


@pytest.mark.parametrize(("left", "right"), [(1, 1), (0, 3), (4, 0)])
def test_direct_leaves_out_the_columns_of_the_kernel_in_the_padding(left, right):
    def multiplications(height=7, width=9, channels=60, out_channels=13):
        weight = np.full((3, 3, channels, out_channels), value, np.float32)
        plan = fastconv.Conv2d(weight, padding=((1, 1), (left, right)), algorithm="direct")
        return plan.describe((height, width, channels)).multiplications / (channels * out_channels)

    value = 1
    out_width = 9 + left + right - 2
    columns = sum(0 <= q - left + s < 9 for q in range(out_width) for s in range(3))
    edges = 2 * 2 * 3 * out_width  # rows of the map that see two rows of the kernel, and all its columns
    assert multiplications() == edges + 5 * 3 * columns
    assert multiplications(height=5) == edges + 3 * 3 * 3 * out_width  # columns too short for tiles of their own
    assert multiplications(channels=50) == edges + 5 * 3 * 3 * out_width  # too few terms
    assert multiplications(out_channels=12) == edges + 5 * 3 * 3 * out_width  # too few channels
    value = np.nan
    assert multiplications() == 7 * 9 * out_width


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_description_is_measured_when_asked_for(layout, dtype):
    plan = fastconv.Conv2d(np.ones((1, 1, 16, 16) if layout == "NHWC" else (16, 16, 1, 1), dtype), layout=layout)
    plain, measured = plan.describe((1, 16, 16, 16)), plan.describe((1, 16, 16, 16), measure=True)
    assert plain.milliseconds is plain.gflops is plain.share_of_peak is None
    assert "gflops" not in str(plain)
    assert measured.gflops > 0 < measured.share_of_peak
    assert measured.milliseconds == pytest.approx(2e-6 * measured.macs / measured.gflops)
    assert measured._replace(milliseconds=None, gflops=None, share_of_peak=None) == plain
    assert {"milliseconds", "gflops", figure(measured.gflops)} <= set(str(measured).split())
    assert plan.describe((0, 16, 16, 16), measure=True).gflops is None


def test_a_measured_block():
    block = fastconv.Fire(*PAIRS)
    measured = block.describe(X.shape, measure=True)
    assert all(part.gflops > 0 < part.milliseconds for part in measured.parts.values())
    assert str(measured).splitlines()[0].split()[-4:] == ["ms", "GFLOP/s", "of", "peak"]
    assert "GFLOP/s" not in str(block.describe(X.shape))


def test_many_threads_below_one_are_warned_of(monkeypatch, teams_for_tiny_layers):
    rates = {1: 200.0, 2: 150.0}
    monkeypatch.setattr(machine, "best_rate", lambda work, team, fewest=5: rates[team])
    monkeypatch.setattr(teams, "default_threads", lambda: 2)
    message = r"^2 threads did fewer multiply-adds than one \(150 and 200 GFLOP/s\): other work is on the CPUs"
    with pytest.warns(RuntimeWarning, match=message) as caught:
        assert fastconv.peak().fma_gflops_all == 150
    assert caught[0].filename == __file__
    plan = fastconv.Conv2d(PAIRS[0][0])
    for described in plan, fastconv.Fire(*PAIRS):
        with pytest.warns(RuntimeWarning, match=message) as caught:
            described.describe(X.shape, measure=True)
        assert {warning.filename for warning in caught} == {__file__}
    with pytest.warns(RuntimeWarning, match=message):
        measured = plan.describe(X.shape, measure=True)
    assert measured.share_of_peak == measured.gflops / 200  # two threads can do what one can
    rates[2] = 300.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fastconv.peak().fma_gflops_all == 300
        measured = plan.describe(X.shape, measure=True)
        assert measured.share_of_peak == 2 * measured.macs  # the rate of the calls is that of the multiply-adds


def test_a_share_above_the_peak_is_explained():
    plan = fastconv.Conv2d(np.ones((3, 3, 64, 64), np.float32), padding=1)
    plain = plan.describe((28, 28, 64))
    fast = plain._replace(algorithm="winograd", milliseconds=0.1, gflops=500.0, share_of_peak=2.0)
    assert str(fast).endswith("share of peak     2 (nominal: fewer multiplications than MACs)")
    assert "nominal" not in str(plain)
    assert "nominal" not in str(fast._replace(share_of_peak=0.9))
    assert "nominal" not in str(fast._replace(multiplications=fast.macs, share_of_peak=1.01))  # noise
    direct = fastconv.Conv2d(np.ones((3, 3, 64, 64), np.float32), padding=1, algorithm="direct").describe((7, 7, 64))
    assert "nominal" in str(direct._replace(gflops=300.0, share_of_peak=1.1))
    block = GraphDescription({"conv": fast}, 0, 0, 0, 0, "none")
    assert "shares of the peak above 100% are nominal: fewer multiplications than MACs" in str(block)
    assert "nominal" not in str(GraphDescription({"conv": plain}, 0, 0, 0, 0, "none"))


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_the_description_tells_of_a_conversion_of_the_layout(layout):
    shape = (1, 8, 8, 3) if layout == "NHWC" else (1, 3, 8, 8)
    conversion = fastconv.Conv2d(np.ones((2, 2, 3, 4), np.float32), padding=1).describe((1, 8, 8, 3)).layout_conversion
    weight = np.ones((2, 2, 3, 4) if layout == "NHWC" else (4, 3, 2, 2), np.float32)
    description = fastconv.Conv2d(weight, padding=1, layout=layout).describe(shape)
    assert (description.layout_conversion == conversion) == (layout == "NHWC")
    assert ("NCHW" in str(description)) == (layout == "NCHW")


@pytest.mark.parametrize("num_threads", [1, 2, 3, None])
def test_the_threads_of_a_large_layer(num_threads):
    plan = fastconv.Conv2d(np.ones((3, 3, 64, 64), np.float32), padding=1, num_threads=num_threads)
    expected = num_threads or fastconv.get_config()["threads"]
    assert plan.describe((56, 56, 64)).threads == expected
    assert plan.describe((2, 2, 64)).threads <= min(expected, 1)


def test_lanes_that_only_fill_a_vector_are_work_for_a_team():
    plan = fastconv.Conv2d(np.ones((1, 1, 64, 1), np.float32), num_threads=2)
    assert plan.describe((56, 56, 64)).macs < teams._MACS_PER_THREAD
    assert plan.describe((56, 56, 64)).threads == plan.describe((16, 14, 14, 64)).threads == 2


@pytest.mark.parametrize(("algorithm", "stride"), [("direct", 1), ("blas", 1), ("blas", 2)])
def test_a_forced_algorithm_is_the_one_that_runs(algorithm, stride):
    plan = fastconv.Conv2d(np.ones((1, 1, 4, 8), np.float32), stride=stride, algorithm=algorithm)
    assert plan.describe((5, 6, 4)).algorithm == algorithm


def test_the_description_of_a_block_is_true():
    block = fastconv.Fire(*PAIRS)
    description = block.describe(X.shape)
    assert list(description.parts) == ["squeeze", "expand1x1", "expand3x3"]
    assert description.macs == sum(part.macs for part in description.parts.values()) == block.cost(X.shape).macs
    text = str(description)
    packed = f"{sum(part.packed_bytes for part in description.parts.values()):,} bytes of packed weights"
    assert all(name in text for name in [*description.parts, f"{description.macs:,}", packed])


@pytest.mark.parametrize(
    ("x_shape", "out_channels", "transform", "on_the_fly"),
    [
        ((7, 7, 64), 64, "F(4×4", False),
        ((5, 5, 160), 160, "F(2×2", False),
        ((14, 14, 256), 256, "F(4×4", True),
        ((14, 14, 160), 320, "F(4×4", True),
        ((56, 56, 160), 320, "F(4×4", False),
    ],
)
def test_the_weights_of_few_tiles_decide_the_transform_and_where_it_is_done(
    x_shape, out_channels, transform, on_the_fly
):
    plan = fastconv.Conv2d(np.ones((3, 3, x_shape[2], out_channels), np.float32), padding=1)
    tile = plan.describe(x_shape).tile
    assert tile.startswith(transform)
    assert ("weights on the fly" in tile) == (on_the_fly and winograd.LANES >= 16)
