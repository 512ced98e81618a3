"""Comparing results with the float64 reference: exactly on whole numbers, within a derived bound on any others.

The bound of a sum: with u = eps / 2, n products summed in any order, with or without FMA, are off by at most
n·u / (1 − n·u) · Σ|x·w| (Higham, "Accuracy and stability of numerical algorithms", section 3.1). In float64 the
reference is off by as much again. So 2·n·eps·Σ|x·w| holds for every correct result; a dropped product of usual size
does not fit in it.
"""

import numpy as np

from fastconv import reference
from fastconv._checks.activations import bounds
from fastconv._planning import algorithms

CHAIN = 16  # channels of Winograd's products summed in one chain


def assert_equal_exact(got, want, dtype=None):
    """Assert that got has the shape and the very values of want (NaN equals NaN), and `dtype`, or else that of want."""
    _assert_alike(got, want, want.dtype if dtype is None else dtype)
    _assert_all((got == want) | (np.isnan(got) & np.isnan(want)), got, want)


def assert_close(got, want, magnitude, terms, dtype, ends=(0,)):
    """Assert that got, of `dtype`, is want within 2·terms·eps·magnitude, NaN and Inf where want has them.

    Parameters
    ----------
    got : ndarray
    want : ndarray of float64
        What the reference gives.
    magnitude : ndarray of float64
        What the reference gives for the absolute values of all arguments: Σ|x·w| and so on.
    terms : int
        Values summed in one output.
    dtype : dtype
    ends : values
        What an activation may make of an Inf.
    """
    _assert_alike(got, want, dtype)
    limits, got = np.finfo(got.dtype), got.astype(float)
    with np.errstate(over="ignore", invalid="ignore"):
        # A product that underflows is off by the smallest subnormal instead.
        bound = terms * (2 * float(limits.eps) * magnitude + float(limits.smallest_subnormal))
        # An Inf that an activation took away leaves no bound, but a finite number.
        near = np.isfinite(got) & ((np.abs(got - want) <= bound) | ~np.isfinite(magnitude))
        same = (np.isnan(got) & np.isnan(want)) | (got == want)
        # Where a partial sum may overflow the order decides: Inf, NaN, or what an activation makes of them.
        overflow = np.isfinite(magnitude) & (magnitude + bound > limits.max) & (~np.isfinite(got) | np.isin(got, ends))
    _assert_all(np.where(np.isfinite(want), near | overflow, same), got, want, bound)


def assert_conv(got, x, weight, bias=None, residual=None, activation=None, **geometry):
    """Assert that got is the convolution of these arguments, which are those of `fastconv.conv2d`."""
    options = {"activation": activation, **geometry}
    want = reference.conv2d(x, weight, bias, residual=residual, **options)
    magnitude = reference.conv2d(*map(_absolute, (x, weight, bias)), residual=_absolute(residual), **geometry)
    terms = _terms((weight, bias), geometry.get("layout", "NHWC")) + (residual is not None)
    assert_close(got, want, magnitude, terms, x.dtype, bounds(activation))


def assert_block(got, function, x, pairs, **options):
    """Assert that got is `function(x, *pairs, **options)`, one of the blocks of `fastconv.reference`.

    A layer of n terms that reads values off by a share e of their magnitude is off by a share (1 + e)·(1 + n·u) − 1 of
    its own magnitude, which is what the block gives for absolute values: bounds with 0 between them, max, sum and
    concatenation add nothing to it. So the terms of the layers add up; those of all layers bound those of every path
    through the block.
    """
    want = function(x, *pairs, **options)
    magnitude = function(_absolute(x), *map(_absolute, pairs), **{**options, "activation": None})
    terms = sum(_terms(pair, options.get("layout", "NHWC")) for pair in pairs if pair is not None)
    assert_close(got, want, magnitude, terms + 1, x.dtype)  # 1 for the shortcut


def _absolute(value):
    """|value| of an array, a pair or None."""
    if isinstance(value, tuple):
        return tuple(map(_absolute, value))
    return None if value is None else np.abs(value)


def _terms(pair, layout):
    """Values that a convolution with this (weight, bias) sums in one output."""
    weight, bias = pair
    return weight.size // weight.shape[-1 if layout == "NHWC" else 0] + (bias is not None)


def _assert_alike(got, want, dtype):
    assert isinstance(got, np.ndarray), f"got {type(got).__name__}, not an array"
    assert got.dtype == np.dtype(dtype).newbyteorder("="), f"got dtype {got.dtype}, want {dtype}"
    assert got.shape == want.shape, f"got shape {got.shape}, want {want.shape}"


def _assert_all(good, got, want, bound=None):
    if good.all():
        return
    at = tuple(map(int, np.argwhere(~good)[0]))
    within = "" if bound is None else f" ± {bound[at]:.3g}"
    raise AssertionError(
        f"{(~good).sum()} of {good.size} values are wrong; at {at} got {got[at]!r}, want {want[at]!r}{within}"
    )


def winograd_steps(transform, channels):
    """Roundings of a value on its way through Winograd's convolution.

    They are two transforms of the input and two of the sums with as many terms as points (and constants, rounded once
    more), the weights, the longest chain of products, and what is added in the end. Weights that are transformed on the
    fly, by the only algorithm left, take two transforms more, of as many terms as taps, with constants of their own.
    """
    on_the_fly = f"{transform} on the fly" in map(str, algorithms.ALGORITHMS)
    of_weights = 2 * (transform.kernel + 1) if on_the_fly else 1
    return 4 * transform.points + of_weights + min(channels, CHAIN) + -(-channels // CHAIN) + 2
