"""The asserter itself: it accepts every order of rounding and rejects every small mistake."""

import compare
import numpy as np
import pytest

from fastconv import reference

GEOMETRY = {"stride": (1, 2), "padding": ((1, 0), (2, 1))}


def make(seed=0):
    """x, weight, bias and residual of a convolution with `GEOMETRY`, in float32."""
    rng = np.random.default_rng(seed)
    shapes = (2, 6, 9, 5), (3, 4, 5, 7), (7,), (2, 5, 5, 7)
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


def float32_conv(x, weight, bias, residual, taps=None, channels=None):
    """The convolution in float32, one product after the other in the order of `taps` and `channels`."""
    x = np.pad(x, ((0, 0), (1, 0), (2, 1), (0, 0)))
    y = np.zeros(residual.shape, np.float32)
    for r, s in np.ndindex(3, 4) if taps is None else taps:
        for c in range(5) if channels is None else channels:
            y += x[:, r : r + 5, s : s + 9 : 2, c, None] * weight[r, s, c]
    return y + bias + residual


def rejects(got, *arrays, **options):
    with pytest.raises(AssertionError):
        compare.assert_conv(got, *arrays, **GEOMETRY, **options)


@pytest.mark.parametrize("seed", range(20))
def test_accepts_rounding_in_any_order(seed):
    arrays = make(seed)
    taps = np.random.default_rng(seed).permutation(list(np.ndindex(3, 4)))
    compare.assert_conv(float32_conv(*arrays, taps, [3, 1, 4, 0, 2]), *arrays, **GEOMETRY)


def test_accepts_long_sums_in_float32():
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 4, 4000), np.float32), rng.standard_normal((1, 1, 4000, 3), np.float32)
    one_by_one = np.zeros((1, 4, 3), np.float32)
    for c in range(4000):
        one_by_one += x[..., c, None] * weight[0, 0, c]
    compare.assert_conv(one_by_one, x, weight)
    compare.assert_conv(x @ weight[0, 0], x, weight)


def test_accepts_float64_and_both_layouts():
    x, weight, bias, residual = (array.astype(float) for array in make())
    compare.assert_conv(reference.conv2d(x, weight, bias, **GEOMETRY), x, weight, bias, **GEOMETRY)
    x, residual = (np.moveaxis(array, -1, 1) for array in (x, residual))
    nchw = {**GEOMETRY, "layout": "NCHW"}
    weight = weight.transpose(3, 2, 0, 1)
    compare.assert_conv(reference.conv2d(x, weight, residual=residual, **nchw), x, weight, None, residual, **nchw)


def test_rejects_a_dropped_product():
    for lost in np.ndindex(3, 4, 5):
        x, weight, bias, residual = make()
        less = weight.copy()
        less[lost] = 0
        rejects(float32_conv(x, less, bias, residual), x, weight, bias, residual)


def test_rejects_a_dropped_tap_of_one_output():
    arrays = make()
    whole = float32_conv(*arrays)
    part = float32_conv(*arrays, taps=[tap for tap in np.ndindex(3, 4) if tap != (1, 2)])  # on padding nowhere
    for at in [(0, 0, 0, 0), (1, 4, 4, 6), (0, 2, 3, 5)]:
        got = whole.copy()
        got[at] = part[at]
        rejects(got, *arrays)


@pytest.mark.parametrize("axes", [(0, 1), (2, 3)])
def test_rejects_swapped_axes_of_the_weight(axes):
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((6, 6, 4), np.float32), rng.standard_normal((3, 3, 4, 4), np.float32)
    got = reference.conv2d(x, weight.swapaxes(*axes), padding=1).astype(np.float32)
    with pytest.raises(AssertionError):
        compare.assert_conv(got, x, weight, padding=1)


def test_rejects_a_shifted_pixel_and_a_flipped_kernel():
    x, weight, bias, residual = make()
    got = float32_conv(x, weight, bias, residual)
    rejects(np.roll(got, 1, axis=1), x, weight, bias, residual)
    rejects(np.roll(got, 1, axis=2), x, weight, bias, residual)
    rejects(float32_conv(np.roll(x, 1, axis=2), weight, bias, residual), x, weight, bias, residual)
    rejects(float32_conv(x, weight[::-1, ::-1], bias, residual), x, weight, bias, residual)


def test_rejects_a_missing_bias_residual_or_activation():
    x, weight, bias, residual = make()
    rejects(float32_conv(x, weight, 0 * bias, residual), x, weight, bias, residual)
    rejects(float32_conv(x, weight, bias, 0 * residual), x, weight, bias, residual)
    rejects(float32_conv(x, weight, bias, residual), x, weight, bias, residual, activation="relu")
    rejects(np.maximum(float32_conv(x, weight, bias, residual), 0), x, weight, bias, residual)


def test_rejects_another_shape_dtype_or_type():
    arrays = make()
    got = float32_conv(*arrays)
    compare.assert_conv(got, *arrays, **GEOMETRY)
    rejects(got.astype(float), *arrays)
    rejects(got[:1], *arrays)
    rejects(got[0], *arrays)
    rejects(got.astype(">f4"), *arrays)
    rejects(got.tolist(), *arrays)


def test_nan_and_inf_must_be_where_the_reference_has_them():
    x, weight, bias, residual = make()
    finite = float32_conv(x, weight, bias, residual)
    x[0, 3, 4, 2] = np.nan
    x[1, 0, 0, 0] = np.inf
    x[1, 5, 8, 0] = -np.inf
    arrays = x, weight, bias, residual
    with np.errstate(invalid="ignore"):
        good = float32_conv(*arrays)
    compare.assert_conv(good, *arrays, **GEOMETRY)
    relu = np.maximum(good, 0)
    compare.assert_conv(relu, *arrays, activation="relu", **GEOMETRY)
    rejects(np.where(np.isnan(relu), 0, relu), *arrays, activation="relu")
    rejects(finite, *arrays)
    rejects(np.where(np.isinf(good), -good, good), *arrays)
    rejects(np.where(np.isinf(good), np.nan, good), *arrays)
    for value in (np.nan, np.inf):
        at = tuple(np.argwhere(np.isfinite(good))[0])
        bad = good.copy()
        bad[at] = value
        rejects(bad, *arrays)
        rejects(np.where(np.isfinite(finite), finite, 0) * 0 + value, *make())


def test_an_overflow_may_be_inf_or_nan_but_no_wrong_number():
    x = np.full((1, 1, 4), 2e38, np.float32)
    weight = np.array([1, 1, -1, -0.5], np.float32).reshape(1, 1, 4, 1)  # 1e38, by way of 4e38
    for value, good in {1e38: True, np.inf: True, np.nan: True, 1.1e38: False}.items():
        got = np.full((1, 1, 1), value, np.float32)
        if good:
            compare.assert_conv(got, x, weight)
        else:
            with pytest.raises(AssertionError):
                compare.assert_conv(got, x, weight)
    with pytest.raises(AssertionError):  # 8e38 is no float32
        compare.assert_conv(np.full((1, 1, 1), 3e38, np.float32), x, np.ones((1, 1, 4, 1), np.float32))


def test_products_that_underflow():
    x, weight = np.full((1, 1, 3), 1e-30, np.float32), np.full((1, 1, 3, 1), 1e-30, np.float32)
    compare.assert_conv(np.zeros((1, 1, 1), np.float32), x, weight)
    with pytest.raises(AssertionError):
        compare.assert_conv(np.full((1, 1, 1), 1e-43, np.float32), x, weight)


def fire_parts(rng):
    shapes = (1, 1, 12, 4), (1, 1, 4, 6), (3, 3, 4, 5)
    # Biases that leave most values above 0: the ReLUs should hide no mistake.
    return [(rng.standard_normal(s, np.float32), 3 + rng.random(s[3:], np.float32)) for s in shapes]


def float32_fire(x, squeeze, expand1x1, expand3x3):
    """A Fire module in float32, the sums one product after the other."""

    def conv(x, weight, bias):
        size = weight.shape[0]
        x = np.pad(x, ((size // 2, size // 2), (size // 2, size // 2), (0, 0)))
        y = np.zeros((5, 6, weight.shape[3]), np.float32) + bias
        for r, s, c in np.ndindex(size, size, weight.shape[2]):
            y += x[r : r + 5, s : s + 6, c, None] * weight[r, s, c]
        return np.maximum(y, 0)

    s = conv(x, *squeeze)
    return np.concatenate([conv(s, *expand1x1), conv(s, *expand3x3)], -1)


@pytest.mark.parametrize("seed", range(20))
def test_blocks_accept_rounding_and_reject_mistakes(seed):
    rng = np.random.default_rng(seed)
    x, parts = rng.standard_normal((5, 6, 12), np.float32), fire_parts(rng)
    got = float32_fire(x, *parts)
    compare.assert_block(got, reference.fire, x, parts)
    mistakes = [np.roll(got, 1, axis=1), np.roll(got, 1, axis=2), got.astype(float), got[..., :-1]]
    for name in range(3):
        weight, bias = parts[name]
        less = weight.copy()
        less[-1, -1, :, np.argmax(np.abs(weight[-1, -1]).sum(0))] = 0
        mistakes.append(float32_fire(x, *[(less, bias) if i == name else part for i, part in enumerate(parts)]))
        mistakes.append(float32_fire(x, *[(weight, 0 * bias) if i == name else part for i, part in enumerate(parts)]))
    for mistake in mistakes:
        with pytest.raises(AssertionError):
            compare.assert_block(mistake, reference.fire, x, parts)


def test_a_block_whose_relu_takes_an_infinity_away():
    rng = np.random.default_rng(0)
    x, parts = rng.standard_normal((5, 6, 12), np.float32), fire_parts(rng)
    parts[0][0][...] = np.abs(parts[0][0])
    x[2, 2, 3] = -np.inf
    with np.errstate(invalid="ignore"):
        got = float32_fire(x, *parts)
    assert np.isfinite(got).all()
    compare.assert_block(got, reference.fire, x, parts)
    got[2, 2, 0] = np.inf
    with pytest.raises(AssertionError):
        compare.assert_block(got, reference.fire, x, parts)


def test_exact_equality():
    want = np.array([1.0, 0.0, np.nan, np.inf])
    compare.assert_equal_exact(want.copy(), want)
    compare.assert_equal_exact(want.astype(np.float32), want, np.float32)
    got_wrong = [
        want.astype(np.float32),
        want[:3],
        want[None],
        np.nextafter(want, 2),
        np.nan_to_num(want, posinf=np.inf),
    ]
    for got in got_wrong:
        with pytest.raises(AssertionError):
            compare.assert_equal_exact(got, want)


def test_empty_results_agree():
    compare.assert_conv(
        np.empty((0, 3, 3, 2), np.float32), np.empty((0, 3, 3, 1), np.float32), np.ones((1, 1, 1, 2), np.float32)
    )


def test_the_message_names_the_place():
    arrays = make()
    got = float32_conv(*arrays)
    got[1, 2, 3, 4] += 1
    with pytest.raises(AssertionError, match=r"1 of 350 values are wrong; at \(1, 2, 3, 4\) got .* want .* ±"):
        compare.assert_conv(got, *arrays, **GEOMETRY)
