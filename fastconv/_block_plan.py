"""What all blocks share: a block is a plan made of convolutions.

Branches write into slices of channels of the result, so nothing is concatenated; bias, residual and ReLU are part of
each convolution's store. What lies between the convolutions is kept for a few images at a time.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from fastconv import _arguments, _arrays, _block_shapes, _layout, _shapes, _threads, _workspace
from fastconv._pool import Pool
from fastconv._typing import Array
from fastconv.conv import MOST_BOUND_SHAPES, PAST_PEAK, Conv2d

if TYPE_CHECKING:
    from fastconv.cost import Cost

_SCRATCH_BYTES = 8 * 2**20  # as many images at a time as keep what lies between the convolutions within this


class BlockDescription(NamedTuple):
    """What a block does with an x of one shape: the `Description` of each part by name; prints as a table."""

    parts: dict
    scratch_bytes: int
    layout_conversion: str

    @property
    def macs(self):
        """Multiply-accumulates of all parts."""
        return sum(part.macs for part in self.parts.values())

    def __str__(self):
        rows = [["part", "algorithm", "tile", "isa", "threads", "MACs", "packed bytes"]]
        rows += [
            [name, p.algorithm, p.tile, p.isa, str(p.threads), f"{p.macs:,}", f"{p.packed_bytes:,}"]
            for name, p in self.parts.items()
        ]
        if all(p.gflops is not None for p in self.parts.values()):
            rows[0] += ["ms", "GFLOP/s", "of peak"]
            for row, p in zip(rows[1:], self.parts.values(), strict=True):
                row += [f"{value:.3g}" for value in (p.milliseconds, p.gflops, p.share_of_peak)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        total = f"{self.macs:,} MACs in all, {self.scratch_bytes:,} bytes between the parts"
        if any(part.is_past_peak for part in self.parts.values()):
            lines.append(f"shares of the peak above 1 are {PAST_PEAK}")
        return "\n".join([*lines, total, f"layout conversion: {self.layout_conversion}"])


def _whole_lines(nbytes):
    """`nbytes` rounded up to whole cache lines."""
    return -(-nbytes // 64) * 64


class BoundBlock:
    """A block for one shape of x, on NHWC arrays that are known to be right."""

    def __init__(self, block, x_shape):
        shapes = _block_shapes.conv_shapes(block._parts, x_shape, layout=block.layout)
        joined = [shapes[name] for name in block._joined]
        first, last = next(iter(shapes.values())), joined[-1]
        self.x_shape = (first.batch, first.height, first.width, first.in_channels)
        self.out_shape = (first.batch, last.out_height, last.out_width, sum(shape.out_channels for shape in joined))
        self.scratch = {
            name: (shape.out_height, shape.out_width, shape.out_channels)
            for name, shape in shapes.items()
            if name not in block._joined
        }
        if block._pooled:
            self.scratch["pool"] = self.x_shape[1:]
            self.pool = _shapes.pool_shape(self.x_shape, 3, stride=1, padding=1)
        image_bytes = sum(map(prod, self.scratch.values())) * block.dtype.itemsize
        self.images = max(1, min(first.batch, _SCRATCH_BYTES // max(image_bytes, 1)))
        sizes = (self.images * prod(shape) * block.dtype.itemsize for shape in self.scratch.values())
        self.scratch_bytes = sum(map(_whole_lines, sizes))

    def run(self, block, x, out, out_step):
        """Write the block's result for x into out, whose pixels are `out_step` bytes apart, some images at a time."""
        buffer = _workspace.borrow(self.scratch_bytes)
        try:
            for first in range(0, len(x), self.images):
                images = slice(first, first + self.images)
                self._run_images(block, x[images], out[images], out_step, buffer)
        finally:
            _workspace.give_back(buffer)

    def _run_images(self, block, x, out, out_step, buffer):
        values, used, channel = {"x": x}, 0, 0
        for name, shape in self.scratch.items():
            size = len(x) * prod(shape) * x.itemsize
            values[name] = buffer[used : used + size].view(x.dtype).reshape(len(x), *shape)
            used += _whole_lines(size)
        if block._pooled:
            team = _threads.take(_threads.team_size(block.num_threads, x.size * 9))
            pool = self.pool._replace(batch=len(x))
            Pool(pool, "max").run(x, values["pool"], x.shape[3] * x.itemsize, team)
        for part in block._in_running_order:
            source = values["pool" if part.name == block._pooled else part.source]
            bound = block._convs[part.name].bind(source.shape)
            channels = bound.shape.out_channels
            residual = values.get("shortcut", x) if part.name == block._summed else None
            if part.name in block._joined:
                bound.run(source, residual, out[..., channel : channel + channels], out_step)
                channel += channels
            else:
                bound.run(source, residual, values[part.name], channels * x.itemsize)


class Block:
    """The base of the blocks; a subclass says what is particular to it."""

    _name = ""  # of its functions in `_block_shapes` and `cost`
    _pooled: str | None = None  # the part that reads x through a 3×3 max pool
    _summed: str | None = None  # the part to which the shortcut is added
    _linear: tuple[str, ...] = ()  # parts without an activation

    def __init__(self, pairs, activation, layout, num_threads, **options):
        _arguments.one_of("layout", layout, _shapes.LAYOUTS)
        _arguments.one_of("activation", activation, _shapes.ACTIVATIONS)
        _threads.resolve(num_threads)
        self.layout, self._num_threads, self._options = layout, num_threads, options
        chain = getattr(_block_shapes, self._name)
        arrays = _block_shapes.arrays(chain, pairs, layout)
        self._pair_shapes = [(weight.shape, bias is not None) for weight, bias in arrays.values()]
        self._parts = chain(*(shape for shape, _ in self._pair_shapes), layout=layout, **options)
        self._joined = _block_shapes.joined(self._parts)  # the parts whose results, side by side, are the block's
        self._convs = {}
        for part in self._parts:
            weight, bias = arrays[part.name]
            self._convs[part.name] = Conv2d(
                weight if layout == "NHWC" else weight.transpose(2, 3, 1, 0),
                bias,
                stride=part.stride,
                padding=part.padding,
                activation=None if part.name in self._linear else activation,
                num_threads=num_threads,
            )
        # The joined parts last: what they read or add is then there.
        self._in_running_order = sorted(self._parts, key=lambda part: part.name in self._joined)
        self._bound = {}  # by the shape of x

    def __getstate__(self):
        return {**vars(self), "_bound": {}}

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{name}={conv!r}' for name, conv in self._convs.items())})"

    @property
    def num_threads(self):
        """The largest team."""
        return _threads.resolve(self._num_threads)

    @property
    def dtype(self):
        """The dtype of the weights, x and the result."""
        return next(iter(self._convs.values())).dtype

    def __call__(self, x: Array, out: Array | None = None) -> Array:
        """Run the block on `x`, of shape (N, H, W, C) or (H, W, C), (N, C, H, W) or (C, H, W) in layout NCHW.

        Returns
        -------
        ndarray
            In the same layout, with as many axes as x; it is `out` if that was given (as in `Conv2d.__call__`).
        """
        dtype = _arrays.check("x", x, self.dtype, other="the block")
        bound = self._bind(x.shape)
        shape = _arrays.result_shape(bound.out_shape, x.ndim, self.layout)
        y, step = _arrays.output(out, dtype, shape, self.layout, x)
        if self.layout == "NHWC":
            values = _arrays.contiguous(x, dtype).reshape(bound.x_shape)
            bound.run(self, values, y if y.ndim == 4 else y[None], step)
        else:
            _layout.run_in_nhwc(
                lambda x, _, out, step: bound.run(self, x, out, step), x, None, y, bound.out_shape, self.num_threads
            )
        return y

    def cost(self, x_shape: tuple[int, ...]) -> Cost:
        """The exact `fastconv.cost.Cost` of a call on x of this shape."""
        from fastconv import cost

        function = getattr(cost, self._name)
        options = {**self._options, "layout": self.layout, "itemsize": self.dtype.itemsize}
        with _arguments.named("x_shape"):
            return function(x_shape, *self._pair_shapes, **options)

    def describe(self, x_shape: tuple[int, ...], measure: bool = False) -> BlockDescription:
        """What a call on x of this shape does, part by part, as a `BlockDescription`.

        With `measure` each part is timed by itself, as `Conv2d.describe` does it.
        """
        with _arguments.named("x_shape"):
            bound = self._bind(_arguments.sizes("x", x_shape))
        shapes, parts = {"x": bound.x_shape}, {}
        for part in self._parts:
            conv = self._convs[part.name]
            parts[part.name] = conv.describe(shapes[part.source], measure)
            shapes[part.name] = conv.bind(shapes[part.source]).out_shape
        return BlockDescription(parts, bound.scratch_bytes, _layout.conversion(self.layout))

    def _bind(self, x_shape):
        bound = self._bound.get(x_shape)
        if bound is None:
            if len(self._bound) >= MOST_BOUND_SHAPES:
                self._bound.clear()
            bound = self._bound.setdefault(x_shape, BoundBlock(self, x_shape))
        return bound
