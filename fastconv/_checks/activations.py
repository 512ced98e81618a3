"""Activations that are two bounds of a value, which an epilogue applies: max(low, ·), then min(high, ·)."""

from math import inf, isnan
from typing import Any

import numpy as np

from fastconv._checks.arguments import meant, plain
from fastconv._checks.types import Activation, Bounds

NAMED: dict[Activation, Bounds] = {None: (-inf, inf), "relu": (0.0, inf), "relu6": (0.0, 6.0)}
FORMS = 'None, "relu", "relu6" or a pair of numbers (low, high)'


def checked(value: object) -> Activation:
    """An activation that a user gave: a name, None, or any two bounds as a pair of floats."""
    if isinstance(value, tuple | list):
        return _pair(value)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"activation must be {FORMS}, got {value!r}")
    value = plain(value)
    if value not in NAMED:
        hint = meant(value, ("relu", "relu6")) or "; other functions are methods of Graph"
        raise ValueError(f"activation must be {FORMS}, got {value!r}{hint}")
    return value


def _pair(value: tuple[Any, ...] | list[Any]) -> Bounds:
    pair = tuple(value)
    if not all(isinstance(one, int | float | np.integer | np.floating) and not isinstance(one, bool) for one in pair):
        raise TypeError(f"activation must be {FORMS}, got {value!r}")
    try:
        low, high = (float(one) + 0.0 for one in pair)  # -0 as 0
    except (ValueError, OverflowError):
        raise ValueError(f"activation must be {FORMS}, got {value!r}") from None
    if isnan(low) or isnan(high) or low > high:
        raise ValueError(f"activation must have low <= high, got {value!r}")
    return low, high


def bounds(activation: Activation) -> Bounds:
    """(low, high) of a checked activation."""
    return activation if isinstance(activation, tuple) else NAMED[activation]


def named(low: float, high: float) -> Activation:
    """The name of these bounds, or themselves."""
    return next((name for name, known in NAMED.items() if known == (low, high)), (low, high))


def clip(x: np.ndarray, activation: Activation) -> np.ndarray:
    """The activation of each value of x, a NaN as it is."""
    low, high = bounds(activation)
    clipped: np.ndarray = np.minimum(np.maximum(x, low), high)
    return clipped


def composed(first: Activation, second: Activation) -> Activation:
    """The activation that is `second` after `first`.

    min(max(·, l), h) does not decrease, so clip(l₂, h₂) ∘ clip(l₁, h₁) = clip(l, h), where l and h are clip(l₂, h₂) of
    l₁ and of h₁.
    """
    low, high = bounds(second)
    return named(*(min(max(bound, low), high) for bound in bounds(first)))
