"""Fast inner products: the bound of the error, on values of many kinds; what is computed directly; the same bits.

With u = eps / 2, and x and w scaled so that a pixel has the norm A and a column the norm B, both in [1, 2): a chain of
m multiply-adds is off by at most m·u·Σ|terms|, and

    Σ|terms| ≤ Σ|x0 + w1||x1 + w0| + Σ|x2||w2| + Σ|x0||x1| + Σ|w0||w1| ≤ ½(A + B)² + ½(A² + B²) ≤ 3.5·A·B,

since A/B lies between 1/2 and 2. Two roundings are in each term, one is where a chain begins, one in each of the sums
of q chunks and two in the epilogue. Σ x0·x1, at most A²/2 ≤ A·B, is summed in lanes, and Σ w0·w1 in float64. All is
scaled exactly, so with the equalizers D of the channels

    |error| ≤ u·(3.5·(2·STEPS + q + 5) + 2·STEPS + 10)·‖Dx‖·‖D⁻¹w‖ + the epilogue's roundings.

Roundings do not all point the same way: SEEN is three times the largest factor of eps·‖Dx‖·‖D⁻¹w‖ that was seen,
3.6 on random layers, beside a large constant.
"""

import numpy as np
import pytest
from cases import normals, pointwise_cases
from compare import assert_close, assert_equal_exact
from hypothesis import given

import fastconv
from benchmarks.errors import FAMILIES
from fastconv import reference
from fastconv._runners import fip_weights

STEPS, CHUNK = 80, 240
SEEN = 12

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")


def sizes(x, weight, groups=1, stride=(1, 1)):
    """‖Dx‖·‖D⁻¹w‖ of every output, of NHWC and HWIO arrays."""
    c, k = weight.shape[2], weight.shape[3] // groups
    equalizers = fip_weights.pack(np.ascontiguousarray(weight), None, groups)[4][:, :c].astype(np.longdouble)
    x, w = x.astype(np.longdouble)[..., :: stride[0], :: stride[1], :], weight[0, 0].astype(np.longdouble)
    found = []
    for group, d in enumerate(equalizers):
        own = w[:, group * k : (group + 1) * k]
        inverse = np.divide(1, d, out=np.zeros_like(d), where=d > 0)
        of_x = np.sqrt(((x[..., group * c : (group + 1) * c] * d) ** 2).sum(-1))
        found.append(of_x[..., None] * np.sqrt(((own * inverse[:, None]) ** 2).sum(0)))
    return np.concatenate(found, -1)


def assert_normwise(got, x, weight, bias=None, residual=None, activation=None, factor=SEEN, **options):
    """Assert that got is the convolution of these NHWC arrays within `factor` · eps · ‖Dx‖ · ‖D⁻¹w‖."""
    want = reference.conv2d(x, weight, bias, residual=residual, activation=activation, **options).astype(np.longdouble)
    limits = np.finfo(x.dtype)
    added = (0 if bias is None else np.abs(bias)) + (0 if residual is None else np.abs(residual))
    tiny = weight[..., 0].size * float(limits.smallest_normal)
    bound = limits.eps * (factor * sizes(x, weight, **options) + 2 * (added + np.abs(want))) + tiny
    assert (np.abs(got - want) <= bound).all(), (np.abs(got - want) / bound).max()


def derived(channels):
    """The derived factor, of eps."""
    return (3.5 * (2 * STEPS + -(-channels // CHUNK) + 5) + 2 * STEPS + 10) / 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_bound(family, dtype):
    rng = np.random.default_rng(0)
    for channels, out_channels in [(64, 100), (256, 96), (700, 40)]:
        x = FAMILIES[family](rng, (1, 7, 9, channels)).astype(dtype)
        weight, bias = normals(rng, (1, 1, channels, out_channels), dtype), normals(rng, (out_channels,), dtype)
        got = fastconv.conv2d(x, weight, bias, algorithm="fip")
        assert derived(channels) > SEEN
        assert_normwise(got, x, weight, bias)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_whose_channels_and_columns_are_of_unlike_size(dtype):
    """A channel is as large as its weights are small, as after a batch norm: the equalizers make them alike."""
    rng = np.random.default_rng(0)
    size = 2.0 ** rng.integers(-10, 11, 128)
    x = (rng.standard_normal((1, 8, 8, 128)) * size).astype(dtype)
    weight = (rng.standard_normal((1, 1, 128, 64)) / size[:, None] * 2.0 ** rng.integers(-20, 21, 64)).astype(dtype)
    got, want = fastconv.conv2d(x, weight, algorithm="fip"), reference.conv2d(x, weight)
    assert_normwise(got, x, weight)
    rms = np.sqrt((want**2).mean((0, 1, 2)))
    assert np.abs((got - want) / rms).max() < 40 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "channels", [*range(1, 6), 16, 17, 33, *range(47, 51), 96, 97, 143, *range(239, 242), 481, 700]
)
def test_any_number_of_channels(channels, dtype):
    rng = np.random.default_rng(channels)
    for out_channels in (1, 4, 8, 15, 16, 17, 31, 32, 33, 70):
        x, weight = normals(rng, (2, 3, 5, channels), dtype), normals(rng, (1, 1, channels, out_channels), dtype)
        bias, residual = normals(rng, (out_channels,), dtype), normals(rng, (2, 3, 5, out_channels), dtype)
        got = fastconv.conv2d(x, weight, bias, residual=residual, activation="relu", algorithm="fip")
        assert_normwise(got, x, weight, bias, residual, "relu")


@given(pointwise_cases())
def test_any_case(case):
    arrays, options = case.arrays(normals), dict(case.options)
    layout, stride = options["layout"], options.pop("stride")
    got = fastconv.pointwise(**arrays, **case.options, algorithm="fip")
    assert got.shape == case.out_shape
    if 0 in got.shape:
        return
    nhwc = {name: np.moveaxis(a, -3, -1) if layout == "NCHW" and a.ndim > 2 else a for name, a in arrays.items()}
    weight = arrays["weight"] if layout == "NHWC" else arrays["weight"].T
    got = np.moveaxis(got, -3, -1) if layout == "NCHW" else got
    step = stride if isinstance(stride, tuple) else (stride, stride)
    assert_normwise(
        got, nhwc["x"], weight[None, None], arrays.get("bias"), nhwc.get("residual"), options["activation"], stride=step
    )


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("groups", [2, 3])
def test_groups(groups, layout):
    rng = np.random.default_rng(0)
    x, weight = normals(rng, (2, 6, 7, 100 * groups), "float32"), normals(rng, (1, 1, 100, 40 * groups), "float32")
    given_x = x if layout == "NHWC" else np.ascontiguousarray(np.moveaxis(x, -1, 1))
    given_w = weight if layout == "NHWC" else np.ascontiguousarray(weight.transpose(3, 2, 0, 1))
    got = fastconv.conv2d(given_x, given_w, groups=groups, stride=(2, 1), layout=layout, algorithm="fip")
    assert_normwise(got if layout == "NHWC" else np.moveaxis(got, 1, -1), x, weight, groups=groups, stride=(2, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pixels_that_are_computed_directly_leave_the_others_alone(dtype):
    """Those with NaN or Inf, of values beyond the range, and zeros, which give the bias."""
    rng = np.random.default_rng(0)
    x, weight = normals(rng, (1, 5, 9, 150), dtype), normals(rng, (1, 1, 150, 50), dtype)
    bias, residual = normals(rng, (50,), dtype), normals(rng, (1, 5, 9, 50), dtype)
    usual = fastconv.conv2d(x, weight, bias, residual=residual, algorithm="fip")
    large, small = {"float32": (1e20, 1e-25), "float64": (1e200, 1e-190)}[dtype]
    y = x.copy()
    y[0, 0, 0, 3], y[0, 0, 5, 149], y[0, 1, 1, 0] = np.nan, np.inf, -np.inf
    y[0, 2, 2], y[0, 3, 3] = y[0, 2, 2] * dtype_of(dtype)(large), y[0, 3, 3] * dtype_of(dtype)(small)
    y[0, 4, 4] = 0
    changed = (y != x).any(-1)
    got = fastconv.conv2d(y, weight, bias, residual=residual, algorithm="fip", num_threads=3)
    assert got[~changed].tobytes() == usual[~changed].tobytes()
    absolute = [np.abs(a) for a in (y, weight, bias)]
    with np.errstate(over="ignore"):
        magnitude = reference.conv2d(*absolute, residual=np.abs(residual))
    want = reference.conv2d(y, weight, bias, residual=residual)
    assert_close(got[changed], want[changed], magnitude[changed], 152, dtype)
    assert_equal_exact(got[0, 4, 4], (bias + residual[0, 4, 4]), dtype)


def dtype_of(name):
    return np.dtype(name).type


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [np.nan, np.inf, "largest", "smallest"])
def test_weights_out_of_range(value, dtype):
    rng = np.random.default_rng(0)
    x, weight = normals(rng, (1, 3, 5, 60), dtype), normals(rng, (1, 1, 60, 40), dtype)
    if isinstance(value, str):
        weight *= {"largest": np.finfo(dtype).max / 1000, "smallest": np.finfo(dtype).smallest_normal * 1000}[value]
    else:
        weight[0, 0, 7, 11] = value
    got, want = fastconv.conv2d(x, weight, algorithm="fip"), reference.conv2d(x, weight)
    assert_close(got, want, reference.conv2d(np.abs(x), np.abs(weight)), 400, dtype)


def test_zero_columns_and_rows_of_the_weights():
    """A zero column gives the bias; what only zeros read does not count, unless it is not finite."""
    rng = np.random.default_rng(0)
    x, weight, bias = (normals(rng, shape, "float32") for shape in ((1, 4, 5, 96), (1, 1, 96, 40), (40,)))
    weight[..., 3] = weight[..., 39] = weight[0, 0, 50] = 0
    x[..., 50] = 1e15
    got = fastconv.conv2d(x, weight, bias, algorithm="fip")
    assert_normwise(got, x, weight, bias)
    assert_equal_exact(got[..., [3, 39]], np.broadcast_to(bias[[3, 39]], (1, 4, 5, 2)))
    x[0, 0, 0, 50] = np.inf
    assert np.isnan(fastconv.conv2d(x, weight, bias, algorithm="fip")[0, 0, 0]).all()
    assert (fastconv.conv2d(x, np.zeros_like(weight), bias, algorithm="fip")[0, 1] == bias).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_bits(dtype):
    """For any number of threads, any batch, any place in a map, and in an `out` of more channels."""
    rng = np.random.default_rng(0)
    x, weight = normals(rng, (3, 13, 11, 500), dtype), normals(rng, (1, 1, 500, 150), dtype)
    plan = fastconv.Conv2d(weight, algorithm="fip", num_threads=1)
    want = plan(x)
    for num_threads in (2, 3):
        many = fastconv.Conv2d(weight, algorithm="fip", num_threads=num_threads)
        out = np.zeros((3, 13, 11, 160), dtype)
        many(x, out=out[..., 5:155])
        assert_equal_exact(out[..., 5:155], want)
        assert not out[..., :5].any()
        assert not out[..., 155:].any()
    for image, of_image in zip(x, want, strict=True):
        assert plan(image).tobytes() == of_image.tobytes()
        assert plan(image[3:5, 2:6]).tobytes() == of_image[3:5, 2:6].tobytes()
    rows = x.reshape(-1, 1, 1, 500)
    assert plan(rows).tobytes() == want.tobytes()
    assert plan(x[:, ::2, ::3]).tobytes() == fastconv.conv2d(x, weight, stride=(2, 3), algorithm="fip").tobytes()


def test_what_a_plan_tells():
    plan = fastconv.Conv2d(np.ones((1, 1, 100, 64), np.float32), algorithm="fip")
    told = plan.describe((14, 14, 100))
    assert (told.algorithm, told.accuracy) == ("fip", "normwise")
    assert told.multiplications == 14 * 14 * 64 * (2 * 32 + 2 + 0)  # of 100 channels two blocks of 48, and 4
    assert told.macs == 14 * 14 * 64 * 100


@pytest.mark.parametrize("size", [(3, 3), (1, 3)])
def test_what_it_is_not_for(size):
    with pytest.raises(ValueError, match=r'^algorithm "fip" is for 1×1 convolutions without padding'):
        fastconv.Conv2d(np.ones((*size, 8, 8), np.float32), algorithm="fip")


@pytest.mark.parametrize("channels", [1, 16, 64, 100, 240, 241, 700])
def test_a_workspace_stays_in_the_cache(channels):
    """A row of few channels is mostly empty, and takes its place all the same."""
    plan = fastconv.Conv2d(np.ones((1, 1, channels, 8), np.float32), algorithm="fip", num_threads=1)
    assert plan.describe((160, 160, channels)).workspace_bytes <= 512 * 1024
