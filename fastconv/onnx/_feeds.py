"""What a call gives a model, checked before any work."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastconv._checks import arguments
from fastconv._checks.types import Shape
from fastconv.onnx._program import Input, Program
from fastconv.onnx._values import Tensor


def checked(program: Program, given: Sequence[Any]) -> dict[str, Any]:
    """{name: value} of a call's arguments, arrays of native byte order."""
    fitting = _fitting(program, given)
    if fitting is not None:
        return fitting
    feeds = by_name(program, given)
    known = {one.name: one for one in (*program.inputs, *program.optional)}
    arrays = {name: _value(known[name], value) for name, value in feeds.items()}
    check_sizes(program, {name: value.shape for name, value in arrays.items() if isinstance(value, np.ndarray)})
    return arrays


def _fitting(program: Program, given: Sequence[Any]) -> dict[str, Any] | None:
    """What `checked` gives of arrays that are as the model says, which a small model would wait for; else None."""
    inputs = program.inputs
    named = given[0] if len(given) == 1 and type(given[0]) is dict else None
    if len(inputs) != (len(given) if named is None else len(named)):
        return None
    feeds = dict[str, Any]()
    for i, one in enumerate(inputs):
        value = given[i] if named is None else named.get(one.name)
        if type(value) is not np.ndarray or value.dtype is not one.dtype or one.shape is None:
            return None
        if len(one.shape) != value.ndim:
            return None
        for wanted, size in zip(one.shape, value.shape, strict=True):
            if wanted != size and type(wanted) is int:
                return None
        feeds[one.name] = value
    return feeds


def by_name(program: Program, given: Sequence[Any]) -> dict[str, Any]:
    """{name: what was given for it} of all inputs, and those initializers that are inputs too."""
    names = [one.name for one in program.inputs]
    if len(given) == 1 and isinstance(given[0], Mapping):
        feeds, known = dict(given[0]), {*names, *(one.name for one in program.optional)}
        for name in feeds:
            if name not in known:
                raise ValueError(f"the model has no input {name!r}, but {', '.join(map(repr, names))}")
        for name in names:
            if name not in feeds:
                raise ValueError(f"the input {name!r} is missing")
        return {name: feeds[name] for name in (*names, *(one.name for one in program.optional)) if name in feeds}
    if len(given) != len(names):
        raise TypeError(f"the inputs must be ({', '.join(names)}), got {len(given)} of them")
    return dict(zip(names, given, strict=True))


def placeholders(program: Program, shapes: Sequence[Any]) -> dict[str, Tensor]:
    """{name: tensor} of inputs of these shapes, or of those that the model says."""
    if not shapes:
        for one in program.inputs:
            if one.shape is None or not all(isinstance(size, int) for size in one.shape):
                raise TypeError(f"the model does not say all sizes of {one.name}: give the shapes of its inputs")
        shapes = [{one.name: one.shape for one in program.inputs}]
    known = {one.name: one for one in (*program.inputs, *program.optional)}
    found = {name: arguments.sizes(name, shape) for name, shape in by_name(program, shapes).items()}
    check_sizes(program, found)
    return {name: Tensor(name, shape, known[name].dtype or np.dtype(object)) for name, shape in found.items()}


def _value(known: Input, value: Any) -> Any:
    if known.dtype is None:
        return value
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{known.name} must be an array, got {arguments.kind(value)}")
    value = np.asarray(value)
    is_text = known.dtype.kind in "OUS" and value.dtype.kind in "OUS"
    if value.dtype.newbyteorder("=") != known.dtype and not is_text:
        raise TypeError(f"{known.name} must have dtype {known.dtype}, got {value.dtype}")
    return value if is_text else value.astype(known.dtype, copy=False)


def check_sizes(program: Program, shapes: Mapping[str, Shape]) -> None:
    """Check shapes against the sizes that the model says. One that has a name is free: exporters name unequal sizes
    alike.
    """
    for one in (*program.inputs, *program.optional):
        if one.shape is None or one.name not in shapes:
            continue
        pairs = zip(one.shape, shapes[one.name], strict=False)
        if len(shapes[one.name]) != len(one.shape) or any(isinstance(n, int) and n != size for n, size in pairs):
            told = f"({', '.join('?' if n is None else str(n) for n in one.shape)})"
            raise ValueError(f"{one.name} must have shape {told}, got {shapes[one.name]}")
