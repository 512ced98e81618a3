"""Winograd's packed weights: G w Gᵀ in float64, rounded once, in the order in which the products read them."""

import numpy as np
import pytest

from fastconv._planning import algorithms
from fastconv._runners import pack, transforms, winograd

TRANSFORMS = {str(a.transform): a.transform for a in algorithms.ALGORITHMS if a.name == "winograd"}
VECTORS = 2  # of columns in a block, FC_MAX_VECTORS


def packed_in_order(points, dtype):
    """U, (groups, points, points, C, K) in float64, as [group][block][point][c][column], zeros in missing columns."""
    lanes = winograd.LANES * 4 // np.dtype(dtype).itemsize
    groups, n, _, channels, columns = points.shape
    whole = np.zeros((groups, n * n, channels, -(-columns // lanes) * lanes))
    whole[..., :columns] = points.reshape(groups, n * n, channels, columns)
    blocks = [whole[..., first : first + VECTORS * lanes] for first in range(0, whole.shape[3], VECTORS * lanes)]
    return np.concatenate([block.reshape(groups, -1) for block in blocks], 1)


def assert_packed(got, transform, weight, groups):
    """The nearest values of the dtype, but for the rounding in float64 of the formula there and here: of the taps along
    an axis, of their constants and of their sums, for each axis.
    """
    _, g, _ = transform.matrices
    by_group = np.stack(np.split(weight.astype(float), groups, 3))
    want, magnitude = (
        packed_in_order(np.einsum("ir,js,grsck->gijck", a, a, b, optimize=True), weight.dtype)
        for a, b in ((g, by_group), (np.abs(g), np.abs(by_group)))
    )
    assert got.dtype == weight.dtype
    assert got.shape == want.shape
    bound = 2 * 2 * (transform.kernel + 1) * np.finfo(float).eps / 2 * magnitude
    if weight.dtype == np.float32:
        bound += np.finfo(np.float32).eps / 2 * np.abs(want)
    assert (np.abs(got - want) <= bound).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("channels", [1, 3, 4, 16, 17, 37])
def test_packed_weights(transform, channels, dtype):
    rng = np.random.default_rng(0)
    for out_channels, groups in [(1, 1), (5, 1), (8, 1), (16, 1), (17, 1), (33, 1), (100, 1), (34, 2), (24, 3), (8, 8)]:
        weight = rng.standard_normal((transform.kernel, transform.kernel, channels, out_channels)).astype(dtype)
        packed = [pack.winograd(weight, None, groups, transform, (team, 3)) for team in (1, 2, 3)]
        assert_packed(packed[0][0], transform, weight, groups)
        for other in packed[1:]:
            assert other[0].tobytes() == packed[0][0].tobytes()
            assert other[3:] == packed[0][3:]


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_the_bound_rejects_a_value_off_by_a_little(transform):
    weight = np.random.default_rng(0).standard_normal((transform.kernel, transform.kernel, 5, 17)).astype(np.float32)
    packed = pack.winograd(weight, None, 1, transform, (1, 1))[0]
    packed[0, 0] = np.nextafter(np.nextafter(packed[0, 0], np.float32(np.inf)), np.float32(np.inf))
    with pytest.raises(AssertionError):
        assert_packed(packed, transform, weight, 1)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize(("bad", "is_finite"), [(np.nan, False), (-np.inf, False), (3e38, True), (1, True)])
def test_what_is_known_of_the_weights(transform, bad, is_finite):
    weight = np.ones((transform.kernel, transform.kernel, 33, 40), np.float32)
    weight[-1, 1, 32, 39] = bad
    *_, all_finite, most = pack.winograd(weight, None, 1, transform, (2, 2))
    assert all_finite == is_finite
    assert (most > 0) == (bad == 1)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_weights_whose_sum_overflows_fit_no_tile(transform):
    weight = np.zeros((transform.kernel, transform.kernel, 33, 40))
    weight[0, 0, ::32, 39] = 1e308  # in pieces of their own
    *_, most = pack.winograd(weight, None, 1, transform, (2, 2))
    assert most < 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", [1, 16, 37])
def test_taps_for_the_fly_are_the_weights(channels, dtype):
    """[group][block][c][tap][column], zeros in missing columns, whatever the team."""
    rng, lanes = np.random.default_rng(0), winograd.LANES * 4 // np.dtype(dtype).itemsize
    for out_channels, groups in [(1, 1), (16, 1), (17, 1), (100, 1), (34, 2), (8, 8)]:
        weight = rng.standard_normal((3, 3, channels, out_channels)).astype(dtype)
        whole = np.zeros((groups, channels, 9, -(-out_channels // groups // lanes) * lanes), dtype)
        for group, own in enumerate(np.split(weight.reshape(9, channels, out_channels), groups, 2)):
            whole[group, ..., : own.shape[2]] = own.transpose(1, 0, 2)
        blocks = np.split(whole, range(VECTORS * lanes, whole.shape[3], VECTORS * lanes), 3)
        want = np.concatenate([block.reshape(groups, -1) for block in blocks], 1)
        for team in (1, 2, 3):
            got, *_ = pack.winograd_on_the_fly(weight, None, groups, transforms.F4X3, (team, 3))
            np.testing.assert_array_equal(got, want)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("bad", [np.nan, -np.inf, 3e38, -3e38, 1])
def test_what_is_known_of_taps_for_the_fly(bad):
    weight = np.ones((3, 3, 33, 40), np.float32)
    weight[-1, 1, 32, 39] = bad
    *_, all_finite, most = pack.winograd_on_the_fly(weight, None, 1, transforms.F4X3, (2, 2))
    assert all_finite == np.isfinite(bad)
    assert (most > 0) == (bad == 1)
    *_, of_sums = pack.winograd(weight, None, 1, transforms.F4X3, (2, 2))
    assert most <= of_sums  # a bound of the sums, which are not taken
