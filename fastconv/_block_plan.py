"""What all blocks share: a block is a plan made of convolutions.

Branches write into slices of channels of the result, so nothing is concatenated; bias, residual and ReLU are part of
each convolution's store. What lies between the convolutions is kept for a few images at a time.
"""

from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from fastconv import _arguments, _arrays, _block_shapes, _layout, _orders, _pool_shapes, _shapes, _threads
from fastconv._bound import Bound, BoundPool
from fastconv._chain import Chain
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


class BoundBlock:
    """A block for one shape of x, on NHWC arrays that are known to be right."""

    def __init__(self, block, x_shape):
        shapes = _block_shapes.conv_shapes(block._parts, x_shape, layout=block.layout)
        joined = [shapes[name] for name in block._joined]
        first, last = next(iter(shapes.values())), joined[-1]
        self.x_shape = (first.batch, first.height, first.width, first.in_channels)
        self.out_shape = (first.batch, last.out_height, last.out_width, sum(shape.out_channels for shape in joined))
        image_bytes = sum(map(prod, _kept(block, shapes).values()))
        self._most = max(1, _SCRATCH_BYTES // max(image_bytes, 1))  # images at a time
        batches = {min(self._most, first.batch), first.batch % self._most} - {0}  # the rest are fewer
        self._bounds = {batch: BoundChain(block, shapes, batch) for batch in batches}

    @property
    def scratch_bytes(self):
        """What is kept between the parts, of as many images as are done at a time."""
        return max((bound.runner.kept_bytes for bound in self._bounds.values()), default=0)

    def run(self, x, _, out, out_stride):
        """Write the block's result for x into out, whose pixels are `out_stride` bytes apart, some images at a time."""
        batch = self.out_shape[0]
        if batch in self._bounds:
            self._bounds[batch].run(x, None, out, out_stride)
            return
        for start in range(0, batch, self._most):
            images = slice(start, min(start + self._most, batch))
            self._bounds[images.stop - start].run(x[images], None, out[images], out_stride)


def _kept(block, shapes):
    """{name: (pixels of an image, bytes of a pixel)} of what lies between the parts."""
    kept = {
        name: (shape.out_height * shape.out_width, shape.out_channels * block.dtype.itemsize)
        for name, shape in shapes.items()
        if name not in block._joined
    }
    if block._pooled:
        shape = shapes[block._pooled]
        kept["pool"] = shape.height * shape.width, shape.in_channels * block.dtype.itemsize
    return kept


class BoundChain(Bound):
    """The parts of a block one after the other, for so many images; `shapes` are those of its convolutions."""

    __slots__ = ("_batch", "_kept", "_offsets", "_steps")

    def __init__(self, block, shapes, batch):
        self._batch, self._kept = batch, _kept(block, shapes)
        widths = [shapes[name].out_channels * block.dtype.itemsize for name in block._joined]
        self._offsets = dict(zip(block._joined, accumulate(widths, initial=0), strict=False))  # in a pixel of out
        self._steps = []  # (what runs, names of the places that it reads, adds or None, writes), in running order
        for part in block._in_running_order:
            shape, source = shapes[part.name], part.source
            x_shape = batch, shape.height, shape.width, shape.in_channels
            if part.name == block._pooled:
                pool = _pool_shapes.pool_shape(x_shape, 3, stride=1, padding=1)
                _agrees("the pool", (pool.out_height, pool.out_width), (pool.height, pool.width))
                bound = BoundPool(pool, "max", block.dtype.itemsize, block._num_threads)
                self._steps.append((bound, source, None, "pool"))
                source = "pool"
            residual = None
            if part.name == block._summed:
                residual = "shortcut" if "shortcut" in self._kept else "x"
            bound = block._convs[part.name]._bind(x_shape)
            _agrees(part.name, bound.shape, shape._replace(batch=batch))
            self._steps.append((bound, source, residual, part.name))
        super().__init__(block._num_threads, max(bound.useful for bound, *_ in self._steps))

    def _bind(self, threads):
        chain = Chain()
        places = {"x": chain.x(), None: None}
        places |= {name: chain.keep(self._batch, *sizes) for name, sizes in self._kept.items()}
        places |= {name: chain.out(offset) for name, offset in self._offsets.items()}
        for bound, source, residual, target in self._steps:
            chain.add(bound.runner_for(threads), places[source], places[residual], places[target])
        return chain


def _agrees(name, shape, expected):
    """Raise where a part would read or write another shape than there is room for: never run what may not fit."""
    if shape != expected:
        raise RuntimeError(f"{name} has the shape {shape}, but its block has room for {expected}")


class Block:
    """The base of the blocks; a subclass says what is particular to it."""

    _name = ""  # of its function in `_block_shapes`
    _pooled: str | None = None  # the part that reads x through a 3×3 max pool
    _summed: str | None = None  # the part to which the shortcut is added
    _linear: tuple[str, ...] = ()  # parts without an activation

    def __init__(self, pairs, activation, layout, num_threads, **options):
        layout = _arguments.one_of("layout", layout, _orders.LAYOUTS)
        activation = _arguments.one_of("activation", activation, _shapes.ACTIVATIONS)
        num_threads = _threads.checked(num_threads)
        self._layout, self._num_threads = layout, num_threads
        chain = getattr(_block_shapes, self._name)
        arrays = _block_shapes.arrays(chain, pairs, layout)
        self._parts = chain(*(weight.shape for weight, _ in arrays.values()), layout=layout, **options)
        self._has_bias = [bias is not None for _, bias in arrays.values()]
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
        """The largest team, for the calling thread now."""
        return _threads.now(self._num_threads)

    @property
    def layout(self):
        """ "NHWC" or "NCHW"."""
        return self._layout

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
        dtype = self.dtype
        x = _arrays.check("x", x, dtype, other="every weight")
        bound = self._bind(x.shape)
        shape = _arrays.result_shape(bound.out_shape, x.ndim, self.layout)
        y, step = _arrays.output(out, dtype, shape, self.layout, x)
        if self.layout == "NHWC":
            bound.run(_arrays.contiguous(x, dtype), None, y, step)
        else:
            images = x.shape[-3:]
            _layout.run_in_nhwc(lambda n: self._bind((n, *images)), x, None, y, self._num_threads)
        return y if out is None else out

    def cost(self, x_shape: tuple[int, ...]) -> "Cost":
        """The exact `fastconv.cost.Cost` of a call on x of this shape."""
        from fastconv import cost

        with _arguments.named("x_shape"):
            return cost.of_parts(self._parts, x_shape, self._has_bias, self.layout, self.dtype.itemsize)

    def describe(self, x_shape: tuple[int, ...], measure: bool = False) -> BlockDescription:
        """What a call on x of this shape does, part by part, as a `BlockDescription`: the
        `fastconv.conv.Description` of each by name in its `parts`.

        With `measure` each part is timed by itself, as `Conv2d.describe` does it.
        """
        with _arguments.named("x_shape"):
            bound = self._bind(_arguments.sizes("x", x_shape))
        shapes, parts = {"x": bound.x_shape}, {}
        for part in self._parts:
            conv = self._convs[part.name]
            parts[part.name] = conv.describe(shapes[part.source], measure)
            shapes[part.name] = conv._bind(shapes[part.source]).out_shape
        return BlockDescription(parts, bound.scratch_bytes, _layout.conversion(self.layout))

    def _bind(self, x_shape):
        bound = self._bound.get(x_shape)
        if bound is None:
            if len(self._bound) >= MOST_BOUND_SHAPES:
                self._bound.clear()
            bound = self._bound.setdefault(x_shape, BoundBlock(self, x_shape))
        return bound
