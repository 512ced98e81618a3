"""Single arguments, checked by themselves, before anything is known of shapes.

What a user gives is read here once, and turned into integers, tuples and plain strings: a list that is changed later,
or an object that answers otherwise when it is asked again, changes nothing. Only what these functions return is used.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from operator import index
from typing import Any, TypeVar

import numpy as np

from fastconv._checks.types import Shape, Size

LARGEST = 2**31 - 1  # of a stride, padding or dilation: sums and products of them with an axis stay far inside 64 bits

Choice = TypeVar("Choice")


def meant(given: object, choices: Iterable[object]) -> str:
    """The one of `choices` that what was given is, but for upper and lower case, as a part of an error."""
    like = {choice.lower(): choice for choice in choices if isinstance(choice, str)}
    return f" (did you mean {like[given.lower()]}?)" if isinstance(given, str) and given.lower() in like else ""


def kind(value: object) -> str:
    """The type of a value, or those of the values in a short tuple or list, as an error tells them."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if not isinstance(value, (tuple, list)):
        return type(value).__name__
    if len(value) > 4:
        return f"{type(value).__name__} of length {len(value)}"
    types = ", ".join(type(part).__name__ for part in value) + "," * (len(value) == 1)
    return f"({types})" if isinstance(value, tuple) else f"[{types}]"


@contextmanager
def named(name: str) -> Iterator[None]:
    """Put the name of what a user gave before the message of an error in it."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


def integer(name: str, value: object, minimum: int, largest: int = LARGEST) -> int:
    """`value` as an int from `minimum` to `largest`; floats, even whole ones, and bools are TypeErrors."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = index(value)  # type: ignore[arg-type]  # of any object: this is where it is checked
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {number}")
    if number > largest:
        raise ValueError(f"{name} must be at most {largest}, got {number}")
    return number


def boolean(name: str, value: object) -> bool:
    """`value`, when it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {kind(value)}")
    return bool(value)


def number(name: str, value: object, *, is_finite: bool = True) -> float:
    """A real number that is not NaN, as a float; bools are TypeErrors."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        found = float(value)
    except OverflowError:
        found = -math.inf if value < 0 else math.inf
    if not (math.isfinite(found) if is_finite else found == found):
        raise ValueError(f"{name} must be a {'finite ' * is_finite}number, got {value!r}")
    return found


def pair(name: str, value: object, minimum: int) -> Size:
    """An int or a pair of ints, as a pair (height, width)."""
    if type(value) is int and minimum <= value <= LARGEST:  # the common case, which small layers notice
        return value, value
    try:
        if not isinstance(value, (tuple, list)):
            return (integer(name, value, minimum),) * 2
        sides = tuple(value)
        if len(sides) == 2:
            return integer(name, sides[0], minimum), integer(name, sides[1], minimum)
        error: type[Exception] = ValueError
    except TypeError:
        error = TypeError
    raise error(f"{name} must be an integer or a pair (height, width), got {value!r}")


def one_of(name: str, value: object, choices: tuple[Choice, ...]) -> Choice:
    """`value`, when it is one of `choices`, as a plain string or None."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be one of {choices}, got {value!r}")
    value = plain(value)
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, got {value!r}{meant(value, choices)}")
    return value


def alone(results: Sequence[Any]) -> Any:
    """The one of them, or a tuple of several, as a user gets them."""
    return results[0] if len(results) == 1 else tuple(results)


def plain(value: object) -> object:
    """A string of a class of its own as a plain one; any other value as it is."""
    return str.__str__(value) if isinstance(value, str) else value


def sizes(name: str, shape: object) -> Shape:
    """A shape as a tuple of ints."""
    if not isinstance(shape, (tuple, list)):
        hint = f"; give {name}.shape" if isinstance(shape, np.ndarray) else ""
        raise TypeError(f"{name}'s shape must be a tuple of integers, got {type(shape).__name__}{hint}")
    shape = tuple(shape)
    for n in shape:
        if type(n) is not int or n < 0 or n > LARGEST:  # the rare case: say what is wrong, or take an integer type
            return tuple(integer(f"each size in {name}'s shape", n, 0) for n in shape)
    return shape
