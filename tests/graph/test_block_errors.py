"""The blocks reject parts that do not chain and name them; the reference, the slow twin, rejects the same."""

import numpy as np
import pytest
from cases import SMALL_BLOCKS

import fastconv
from fastconv import reference

X = np.ones((6, 7, 4), np.float32)
RIGHT = {
    name: {part: (np.ones((k, k, c, out), np.float32), None) for part, (k, c, out) in parts.items()}
    for name, parts in SMALL_BLOCKS.items()
}
PARTS = [(name, part) for name, parts in RIGHT.items() for part in parts]


def both_reject(name, named, error, pairs, x=X, **options):
    """The block, when built or at the latest when called, and its slow twin raise `error` and name the part."""
    with pytest.raises(error, match=rf"\b{named}\b"):
        getattr(fastconv, name)(*pairs.values(), **options)(x)
    with pytest.raises(error, match=rf"\b{named}\b"):
        getattr(reference, name.lower())(x, *pairs.values(), **options)


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_a_part_that_does_not_chain_is_named(name, part):
    weight, _ = RIGHT[name][part]
    wrong = np.ones((*weight.shape[:2], 9, weight.shape[3]), np.float32), None
    first = part == next(iter(RIGHT[name]))  # it says how many channels x has, so then x or another reader is wrong
    both_reject(name, "x" if first else part, ValueError, {**RIGHT[name], part: wrong})


@pytest.mark.parametrize(("name", "part"), [(name, part) for name, part in PARTS if part != "conv"])
def test_a_kernel_of_another_size_is_named(name, part):
    r, _, c, k = RIGHT[name][part][0].shape
    for size in [(r + 2, r + 2), (r + 1, r), (r, r + 1)]:
        both_reject(name, part, ValueError, {**RIGHT[name], part: (np.ones((*size, c, k), np.float32), None)})


@pytest.mark.parametrize(("name", "part"), PARTS)
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda w: w, TypeError),  # no pair
        (lambda w: (w,), TypeError),
        (lambda w: (w, None, None), TypeError),
        (lambda w: None, TypeError),
        (lambda w: (w.tolist(), None), TypeError),
        (lambda w: (w.astype(int), None), TypeError),
        (lambda w: (w.astype(np.float16), None), TypeError),
        (lambda w: (w[0], None), ValueError),
        (lambda w: (w[..., :0], None), ValueError),
        (lambda w: (w, np.ones(w.shape[3] + 1, np.float32)), ValueError),
        (lambda w: (w, np.ones((1, w.shape[3]), np.float32)), ValueError),
        (lambda w: (w, np.ones(w.shape[3])), TypeError),  # float64
        (lambda w: (w, [1.0] * w.shape[3]), TypeError),
    ],
)
def test_a_part_that_is_no_part_is_named(name, part, wrong, error):
    pairs = {**RIGHT[name], part: wrong(RIGHT[name][part][0])}
    if pairs[part] is None and part == "shortcut":
        pytest.skip("no projection: the identity")
    both_reject(name, part, error, pairs)


@pytest.mark.parametrize("name", RIGHT)
def test_parts_of_different_dtypes_are_rejected(name):
    last = list(RIGHT[name])[-1]
    both_reject(name, last, TypeError, {**RIGHT[name], last: (RIGHT[name][last][0].astype(float), None)})
    both_reject(name, "x", TypeError, RIGHT[name], X.astype(float))


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize(
    ("x", "error"),
    [
        (X.tolist(), TypeError),
        (X.astype(int), TypeError),
        (np.ma.masked_array(X), TypeError),
        (X[..., 0], ValueError),
        (X[None, None], ValueError),
        (X[..., :3], ValueError),
        (np.moveaxis(X, -1, 0), ValueError),
    ],
)
def test_an_x_that_does_not_fit_is_rejected(name, x, error):
    both_reject(name, "x", error, RIGHT[name], x)


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize(
    ("named", "options", "error"),
    [
        ("activation", {"activation": "tanh"}, ValueError),
        ("layout", {"layout": "CHWN"}, ValueError),
        ("layout", {"layout": None}, (TypeError, ValueError)),
    ],
)
def test_unknown_names_are_rejected(name, named, options, error):
    both_reject(name, named, error, RIGHT[name], **options)


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("num_threads", [0, -1, 1.5, True, "2"])
def test_a_senseless_number_of_threads_is_rejected(name, num_threads):
    with pytest.raises((TypeError, ValueError), match="num_threads"):
        getattr(fastconv, name)(*RIGHT[name].values(), num_threads=num_threads)


@pytest.mark.parametrize("name", ["MLPConv", "Reduced", "Bottleneck"])
@pytest.mark.parametrize("value", [0, -1, 1.5, float("nan"), True, "2", (1, 2, 3), 10**30])
def test_a_senseless_stride_is_rejected(name, value):
    both_reject(name, "stride", (TypeError, ValueError), RIGHT[name], stride=value)


@pytest.mark.parametrize("name", ["MLPConv", "Reduced"])
@pytest.mark.parametrize("value", [-1, 1.5, float("nan"), True, "full", (1, 2, 3), 10**30])
def test_a_senseless_padding_is_rejected(name, value):
    both_reject(name, "padding", (TypeError, ValueError), RIGHT[name], padding=value)


def test_bottlenecks_that_cannot_add_their_shortcut():
    identity = {name: RIGHT["Bottleneck"][name] for name in ("reduce", "conv", "expand")}
    both_reject("Bottleneck", "shortcut", ValueError, identity, stride=2)
    for named, part, shape in [
        ("shortcut", "expand", (1, 1, 2, 3)),
        ("shortcut", "shortcut", (1, 1, 4, 2)),
        ("conv", "conv", (2, 2, 2, 2)),
    ]:
        both_reject("Bottleneck", named, ValueError, {**identity, part: (np.ones(shape, np.float32), None)})
    both_reject("Bottleneck", "stride_in", ValueError, identity, stride_in="expand")


@pytest.mark.parametrize("name", RIGHT)
def test_an_out_that_does_not_fit_is_rejected(name):
    block = getattr(fastconv, name)(*RIGHT[name].values())
    y = block(X)
    for out in [y.tolist(), y.astype(float), np.ma.masked_array(y)]:
        with pytest.raises(TypeError, match=r"\bout\b"):
            block(X, out=out)
    for out in [y[..., :-1], y[None], y[::-1], np.asfortranarray(y), np.broadcast_to(np.float32(1), y.shape)]:
        with pytest.raises(ValueError, match=r"\bout\b"):
            block(X, out=out)
    x = np.ones((1, 30, 30, 4), np.float32)
    overlapping = x.reshape(-1)[: y.size].reshape(y.shape)
    with pytest.raises(ValueError, match=r"\bout\b.*\bx\b"):
        block(x[0, :6, :7], out=overlapping)
