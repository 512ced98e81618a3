"""The operations that copy values to other places, and interpolate between them."""

from collections.abc import Sequence
from numbers import Real
from operator import index
from typing import Literal

from fastconv._checks import arguments, shapes
from fastconv._checks.types import ChannelOrder, Coordinates, PadMode, Pair, Rounding, Sides
from fastconv._graph.graph import Node
from fastconv._graph.operations import picks, resizing
from fastconv.graph._making import Making

_EVERY = slice(None)


class Picking(Making):
    """Slices, shuffles between channels and space, paddings and other sizes."""

    def slice(
        self,
        x: Node,
        *,
        height: slice = _EVERY,
        width: slice = _EVERY,
        channels: slice = _EVERY,
        name: str | None = None,
    ) -> Node:
        """Take some rows, columns and channels, by slices as in Python, which may have steps.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> plan = g.plan(g.slice(g.x, width=slice(None, None, -1), channels=slice(1, 2)))
        >>> plan(np.arange(6.0).reshape(1, 3, 2))[..., 0]
        array([[5., 3., 1.]])
        """
        with arguments.named(name or "slice"):
            parts = [_slice(*pair) for pair in (("height", height), ("width", width), ("channels", channels))]
        with self._builder.undone_where_it_fails():
            return self._add(name, picks.Slice(*parts), x=x)

    def split(self, x: Node, sizes: Sequence[int], *, name: str | None = None) -> tuple[Node, ...]:
        """Take the channels apart, so many for each node, which are called "name.0" and so on.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> first, second = g.split(g.x, (1, 2))
        >>> g.plan(second)(np.arange(3.0).reshape(1, 1, 3))
        array([[[1., 2.]]])
        """
        with arguments.named(name or "split"):
            if not isinstance(sizes, tuple | list) or not sizes:
                raise TypeError(f"sizes must be a tuple of integers, got {sizes!r}")
            counts = [arguments.integer("each of sizes", size, 1) for size in sizes]
        parts, end = list[picks.Slice](), 0
        for count in counts:
            parts.append(picks.Part(sum(counts), slice(end, end := end + count)))
        with self._builder.undone_where_it_fails():
            return tuple(self._add(name and f"{name}.{i}", part, x=x) for i, part in enumerate(parts))

    def depth_to_space(self, x: Node, block: Pair, *, order: ChannelOrder = "DCR", name: str | None = None) -> Node:
        """Make the channels of a pixel a block of pixels, (height, width) of them, with as much fewer channels.

        They are in order DCR (row in the block, column, channel of the result), that of TensorFlow, or CRD (channel,
        row, column), that of PyTorch's pixel shuffle: Shi et al., arXiv:1609.05158, equation 4.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.depth_to_space(g.x, 2))(np.arange(4.0).reshape(1, 1, 4))[..., 0]
        array([[0., 1.],
               [2., 3.]])
        """
        with arguments.named(name or "depth_to_space"):
            size = arguments.pair("block", block, 1)
            order = arguments.one_of("order", order, picks.ORDERS)
        with self._builder.undone_where_it_fails():
            return self._add(name, picks.DepthToSpace(size, order), x=x)

    def space_to_depth(self, x: Node, block: Pair, *, order: ChannelOrder = "DCR", name: str | None = None) -> Node:
        """Make blocks of pixels, (height, width) of them, the channels of one, in an order of `depth_to_space`.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.space_to_depth(g.x, 2))(np.arange(4.0).reshape(2, 2, 1))
        array([[[0., 1., 2., 3.]]])
        """
        with arguments.named(name or "space_to_depth"):
            size = arguments.pair("block", block, 1)
            order = arguments.one_of("order", order, picks.ORDERS)
        return self._add(name, picks.SpaceToDepth(size, order), x=x)

    def pad(
        self,
        x: Node,
        padding: Pair | Sides,
        value: float = 0.0,
        *,
        mode: PadMode = "constant",
        name: str | None = None,
    ) -> Node:
        """Put rows and columns around a map; `padding` is that of `Conv2d`, as numbers.

        They are of `value`, or with the other modes, those of `numpy.pad`, of the map's own values: then there is none.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.pad(g.x, ((0, 1), (2, 0)), 9))(np.ones((1, 1, 1)))[..., 0]
        array([[9., 9., 1.],
               [9., 9., 9.]])
        """
        with arguments.named(name or "pad"):
            sides = shapes.padding_of(padding)
            if isinstance(padding, str) or sides == "same":
                raise TypeError(f"padding must be {shapes.SIDES}, got {padding!r}")
            if not isinstance(value, Real) or value == value:  # a NaN is a value too
                value = arguments.number("value", value, is_finite=False)
            mode = arguments.one_of("mode", mode, picks.PAD_MODES)
            if mode != "constant" and value != 0:
                raise ValueError(f"value must be left out with mode {mode!r}, got {value!r}")
        return self._add(name, picks.Pad(sides, float(value), mode), x=x)

    def resize2d(
        self,
        x: Node,
        size: Pair | None = None,
        *,
        scale: float | tuple[float, float] | None = None,
        mode: Literal["nearest", "linear"] = "nearest",
        coordinates: Coordinates = "half_pixel",
        rounding: Rounding = "round_prefer_floor",
        name: str | None = None,
    ) -> Node:
        """Give a map another size, by the nearest pixel or between the four around it.

        Parameters
        ----------
        x : node
        size : int or (height, width)
            Of the result; the default is `scale` times that of x, rounded down.
        scale : number or (for height, for width)
            By which a pixel of the result is found in x, from 2⁻³¹ to 2³¹; the default is the ratio of the sizes.
        mode : "nearest" or "linear"
        coordinates : "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel" or "half_pixel_symmetric"
            Which place in x a pixel at i lies at, as in ONNX's Resize: (i + 0.5) / scale − 0.5, i / scale, or with the
            pixels in the corners on each other. PyTorch's "nearest" is "asymmetric" with rounding "floor".
        rounding : "floor", "ceil", "round_prefer_floor" or "round_prefer_ceil"
            Of that place, for the nearest pixel.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> plan = g.plan(g.resize2d(g.x, scale=(1, 2)), g.resize2d(g.x, (1, 3), mode="linear"))
        >>> [y.ravel().tolist() for y in plan(np.array([0.0, 4.0]).reshape(1, 2, 1))]
        [[0.0, 0.0, 4.0, 4.0], [0.0, 2.0, 4.0]]
        """
        with arguments.named(name or "resize2d"):
            mode = arguments.one_of("mode", mode, ("nearest", "linear"))
            new = resizing.NewSize(
                None if size is None else arguments.pair("size", size, 1),
                None if scale is None else _scale(scale),
                arguments.one_of("coordinates", coordinates, resizing.COORDINATES),
            )
            if size is None and scale is None:
                raise TypeError("either size or scale must be given")
            rounding = arguments.one_of("rounding", rounding, resizing.ROUNDINGS)
        nearest = mode == "nearest"
        operation = resizing.NearestResize(new, rounding) if nearest else resizing.LinearResize(new)
        return self._add(name, operation, x=x)


def _slice(argument: str, value: object) -> slice:
    """A slice of integers."""
    if not isinstance(value, slice):
        raise TypeError(f"{argument} must be a slice, got {arguments.kind(value)}")
    parts = value.start, value.stop, value.step
    try:
        if any(isinstance(part, bool) for part in parts):
            raise TypeError
        start, stop, step = (None if part is None else index(part) for part in parts)
    except TypeError:
        raise TypeError(f"{argument} must be a slice of integers, got {value}") from None
    if step == 0:
        raise ValueError(f"{argument} must have a step other than 0")
    return slice(start, stop, step)


def _scale(value: object) -> tuple[float, float]:
    given = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(given) != 2:
        raise ValueError(f"scale must be a number or a pair (for height, for width), got {value!r}")
    height, width = (arguments.number("scale", one) for one in given)
    if not 2**-31 <= min(height, width) <= max(height, width) <= 2**31:
        raise ValueError(f"scale must be from 2⁻³¹ to 2³¹, got {value!r}")
    return height, width
