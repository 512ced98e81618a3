"""Single arguments, and which a function takes: checked by themselves, before anything is known of shapes."""

import inspect
import sys
from collections.abc import Callable
from contextlib import contextmanager
from functools import wraps
from operator import index
from typing import TypeVar

import numpy as np

LARGEST = 2**31 - 1  # of a stride, padding or dilation: sums and products of them with an axis stay far inside 64 bits

Function = TypeVar("Function", bound=Callable)


def takes(positional: str) -> Callable[[Function], Function]:
    """Let a call with too many positional arguments, or unknown keywords, be told all arguments.

    `positional` says in words what is given without its name.
    """

    def told(function):
        code = function.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        known, is_method = frozenset(names), names[0] == "self"
        most = sys.maxsize if code.co_flags & inspect.CO_VARARGS else code.co_argcount
        name = function.__qualname__.removesuffix(".__init__")
        text = f"{name} takes {positional}, and by name {', '.join(names[code.co_argcount :])}"

        @wraps(function)
        def checked(*arguments, **options):
            if len(arguments) > most or not known.issuperset(options):
                given = [type(value).__name__ for value in arguments[is_method:]]
                given += [f"{key}={type(value).__name__}" for key, value in options.items()]
                raise TypeError(f"{text}; got {name}({', '.join(given)})")
            return function(*arguments, **options)

        return checked

    return told


@contextmanager
def named(name):
    """Put the name of what a user gave before the message of an error in it."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


def integer(name, value, least):
    """`value` as an int of at least `least`; floats, even whole ones, and bools are TypeErrors."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if not least <= number <= LARGEST:
        raise ValueError(f"{name} must be from {least} to {LARGEST}, got {number}")
    return number


def pair(name, value, least):
    """An int or a pair of ints, as a pair (height, width)."""
    if type(value) is int and least <= value <= LARGEST:  # the common case, which small layers notice
        return value, value
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(f"{name} must be an integer or a pair (height, width), got {value!r}")
        return integer(name, value[0], least), integer(name, value[1], least)
    return (integer(name, value, least),) * 2


def one_of(name, value, choices):
    """`value`, when it is one of `choices`."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be one of {choices}, got {value!r}")
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")
    return value


def sizes(name, shape):
    """A shape as a tuple of ints."""
    if not isinstance(shape, (tuple, list)):
        hint = f"; give {name}.shape" if isinstance(shape, np.ndarray) else ""
        raise TypeError(f"{name}'s shape must be a tuple of integers, got {type(shape).__name__}{hint}")
    shape = tuple(shape)
    for n in shape:
        if type(n) is not int or n < 0 or n > LARGEST:  # the rare case: say what is wrong, or take an integer type
            return tuple(integer(f"each size in {name}'s shape", n, 0) for n in shape)
    return shape
