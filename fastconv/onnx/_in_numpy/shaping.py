"""What moves values."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv.onnx._program import Node
from fastconv.onnx._windows import pairs


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from the first."""
    if not -rank <= axis < rank:
        raise ValueError(f"axis must be at least {-rank} and less than {rank}, got {axis}")
    return axis % rank


def axes_of(node: Node, axes: np.ndarray | None, rank: int) -> list[int] | None:
    """The axes of an attribute, or in newer opsets of an input."""
    given = node.attributes.get("axes") if axes is None else axes.ravel().tolist()
    if given is None:
        return None
    found = [axis_of(axis, rank) for axis in given]
    if len(set(found)) < len(found):
        raise ValueError(f"axes must differ, got {given}")
    return found


def reshaped(node: Node, old: Shape, target: np.ndarray) -> Shape:
    """The shape that 0 and −1 in a target stand for."""
    if target.ndim != 1:
        raise ValueError(f"its shape must have one axis, got shape {target.shape}")
    sizes, keeps_zeros = target.tolist(), node.attributes.get("allowzero", 0)
    for i, size in enumerate(sizes):
        if size == 0 and not keeps_zeros:
            if i >= len(old):
                raise ValueError(f"its shape {target.tolist()} keeps an axis that an input of shape {old} has not")
            sizes[i] = old[i]
    if -1 in sizes:
        # Sizes of 0 that stay where they are, such as that of an empty batch, say nothing of the one that is not given.
        stay = {i for i, (before, size) in enumerate(zip(old, sizes, strict=False)) if before == size == 0}
        rest = prod(size for i, size in enumerate(sizes) if size != -1 and i not in stay)
        sizes[sizes.index(-1)] = prod(size for i, size in enumerate(old) if i not in stay) // rest if rest else 0
    if prod(sizes) != prod(old) or any(size < 0 for size in sizes):
        raise ValueError(f"an input of shape {old} has no shape {target.tolist()}")
    return tuple(sizes)


def flattened(node: Node, old: Shape) -> Shape:
    axis, rank = node.attributes["axis"], len(old)
    if not -rank <= axis <= rank:
        raise ValueError(f"axis must be at least {-rank} and at most {rank}, got {axis}")
    axis += rank * (axis < 0)
    return prod(old[:axis]), prod(old[axis:])


def squeezed(node: Node, old: Shape, axes: np.ndarray | None) -> Shape:
    found = axes_of(node, axes, len(old))
    if found is None:
        return tuple(size for size in old if size != 1)
    if any(old[axis] != 1 for axis in found):
        raise ValueError(f"axes {found} of shape {old} have other sizes than 1")
    return tuple(size for axis, size in enumerate(old) if axis not in found)


def unsqueezed(node: Node, old: Shape, axes: np.ndarray | None) -> Shape:
    given = np.array(node.attributes["axes"] if axes is None else axes.ravel())
    found = axes_of(node, given, len(old) + given.size) or []
    sizes = iter(old)
    return tuple(1 if axis in found else next(sizes) for axis in range(len(old) + len(found)))


def order(node: Node, rank: int) -> list[int]:
    """The axes in the order that a Transpose gives them."""
    given = node.attributes.get("perm")
    if given is None:
        return [*range(rank)][::-1]
    if sorted(given) != [*range(rank)]:
        raise ValueError(f"perm must have each of the {rank} axes once, got {given}")
    return list(given)


def pad_sides(node: Node, rank: int, pads: np.ndarray | None, axes: np.ndarray | None) -> list[tuple[int, int]]:
    """(values before, values after) along each axis."""
    given = node.attributes["pads"] if pads is None else pads.ravel().tolist()
    found = [*range(rank)] if axes is None else [axis_of(axis, rank) for axis in axes.ravel().tolist()]
    sides = [(0, 0)] * rank
    for axis, pair in zip(found, pairs(given, len(found)), strict=True):
        sides[axis] = pair
    return sides


def pad_value(node: Node, value: np.ndarray | None) -> Any:
    if value is not None and value.size > 1:
        raise ValueError(f"its constant value must be one number, got shape {value.shape}")
    return node.attributes.get("value", 0.0) if value is None or not value.size else value.ravel()[0]


def pad(node: Node, x: np.ndarray, pads: Any = None, value: Any = None, axes: Any = None) -> np.ndarray:
    """Negative pads crop, before what is put around is chosen."""
    sides, mode = pad_sides(node, x.ndim, pads, axes), node.attributes["mode"]
    if any(min(before, 0) + min(after, 0) < -size for size, (before, after) in zip(x.shape, sides, strict=True)):
        raise ValueError(f"pads crop more than an input of shape {x.shape} has, got {sides}")
    crop = tuple(
        slice(max(-before, 0), size - max(-after, 0)) for size, (before, after) in zip(x.shape, sides, strict=True)
    )
    x, sides = x[crop], [(max(before, 0), max(after, 0)) for before, after in sides]
    if mode == "constant":
        pairs_of_x = [*zip(x.shape, sides, strict=True)]
        y = np.full([size + sum(pair) for size, pair in pairs_of_x], pad_value(node, value), x.dtype)
        y[tuple(slice(begin, begin + size) for size, (begin, _) in pairs_of_x)] = x
        return y
    if mode not in PADDED:
        raise ValueError(f"mode must be constant, {', '.join(PADDED)}, got {mode!r}")
    if mode == "reflect" and any(
        max(pair) >= size and max(pair) > 0 for pair, size in zip(sides, x.shape, strict=True)
    ):
        raise ValueError(f"pads of mode reflect must be smaller than the shape {x.shape}, got {sides}")
    for axis, (begin, end) in enumerate(sides):
        if begin or end:
            x = np.take(x, PADDED[mode](np.arange(-begin, x.shape[axis] + end), x.shape[axis]), axis)
    return x


# Where a value at each place, of which some lie outside, is read along an axis of a size.
PADDED = {
    "edge": lambda places, size: places.clip(0, size - 1),
    "reflect": lambda places, size: size - 1 - np.abs(size - 1 - np.abs(places)),
    "wrap": lambda places, size: places % size,
}


def concat(node: Node, *arrays: np.ndarray) -> np.ndarray:
    return np.concatenate(arrays, axis_of(node.attributes["axis"], arrays[0].ndim))


def split_sizes(node: Node, shape: Sequence[int], sizes: np.ndarray | None) -> tuple[int, list[int]]:
    """(the axis, how much of it each result has)."""
    axis, count = axis_of(node.attributes["axis"], len(shape)), node.attributes.get("num_outputs", len(node.outputs))
    given = node.attributes.get("split") if sizes is None else sizes.tolist()
    if given is None and count != len(node.outputs):
        raise ValueError(f"num_outputs is {count}, but it has {len(node.outputs)} results")
    if given is None:
        each = -(-shape[axis] // count)
        given = [each] * (count - 1) + [shape[axis] - each * (count - 1)]
        if node.version < 18 and given[-1] != each:
            raise ValueError(f"axis {axis} of shape {shape} cannot be split into {count} equal parts")
    if any(size < 0 for size in given) or sum(given) != shape[axis] or len(given) != len(node.outputs):
        raise ValueError(f"axis {axis} of shape {shape} cannot be split into {given}, {len(node.outputs)} results")
    return axis, given


def split(node: Node, x: np.ndarray, sizes: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    axis, given = split_sizes(node, x.shape, sizes)
    return tuple(np.split(x, np.cumsum(given)[:-1], axis))


def slices(
    node: Node, shape: Sequence[int], starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None
) -> list[slice]:
    """What a Slice takes of each axis."""
    first = node.attributes["starts"] if starts is None else starts.tolist()
    last = node.attributes["ends"] if ends is None else ends.tolist()
    over = axes.tolist() if axes is not None else node.attributes.get("axes") or [*range(len(first))]
    step = [1] * len(first) if steps is None else steps.tolist()
    if not len(first) == len(last) == len(over) == len(step) or 0 in step:
        raise ValueError(f"starts {first}, ends {last}, axes {over} and steps {step} do not fit")
    slices = [slice(None)] * len(shape)
    for begin, end, axis, by in zip(first, last, over, step, strict=True):
        axis = axis_of(axis, len(shape))
        size = shape[axis]
        begin, end = (value + size if value < 0 else value for value in (begin, end))
        lowest, highest = (0, size) if by > 0 else (-1, size - 1)
        begin, end = min(max(begin, max(lowest, 0)), highest), min(max(end, lowest), highest)
        slices[axis] = slice(begin, end if end >= 0 else None, by) if begin >= 0 else slice(0, 0)
    return slices


def sliced(node: Node, x: np.ndarray, *where: Any) -> np.ndarray:
    return x[tuple(slices(node, x.shape, *where))]


def depth_to_space(node: Node, x: np.ndarray) -> np.ndarray:
    size, (n, c, h, w) = node.attributes["blocksize"], x.shape
    if node.attributes.get("mode", "DCR") == "CRD":
        blocks = x.reshape(n, c // size**2, size, size, h, w).transpose(0, 1, 4, 2, 5, 3)
    else:
        blocks = x.reshape(n, size, size, c // size**2, h, w).transpose(0, 3, 4, 1, 5, 2)
    return blocks.reshape(n, c // size**2, h * size, w * size)


def expand(node: Node, x: np.ndarray, shape: np.ndarray) -> np.ndarray:
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape.tolist())))


def check_no_dropout(node: Node, ratio: np.ndarray | None, training: np.ndarray | None) -> None:
    """Check that nothing is dropped."""
    drops = 0.5 if ratio is None else float(ratio)
    if training is not None and training.any() and drops:
        raise ValueError("training_mode is set, and fastconv computes forward passes of inference alone")


def dropout(node: Node, x: np.ndarray, ratio: Any = None, training: Any = None) -> tuple[np.ndarray, np.ndarray]:
    check_no_dropout(node, ratio, training)
    return x, np.ones(x.shape, bool if node.version >= 10 else x.dtype)


def constant(node: Node) -> np.ndarray:
    """The value, whatever it is called."""
    ((name, value),) = node.attributes.items()
    if name in ("value", "sparse_value"):
        return np.asarray(value)
    dtypes = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
    return np.array(value, dtypes.get(name))


FUNCTIONS: dict[str, Any] = {
    "Constant": constant,
    "Concat": concat,
    "DepthToSpace": depth_to_space,
    "Dropout": dropout,
    "Expand": expand,
    "Flatten": lambda node, x: x.reshape(flattened(node, x.shape)),
    "Identity": lambda node, x: x,
    "Optional": lambda node, x=None: x,
    "Pad": pad,
    "Reshape": lambda node, x, shape: x.reshape(reshaped(node, x.shape, shape)),
    "Shape": lambda node, x: np.array(
        x.shape[slice(node.attributes.get("start", 0), node.attributes.get("end"))], np.int64
    ),
    "Slice": sliced,
    "Split": split,
    "Squeeze": lambda node, x, axes=None: x.reshape(squeezed(node, x.shape, axes)),
    "Transpose": lambda node, x: x.transpose(order(node, x.ndim)),
    "Unsqueeze": lambda node, x, axes=None: x.reshape(unsqueezed(node, x.shape, axes)),
}
