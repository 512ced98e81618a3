"""Convolutions, poolings and blocks to test with: the hypothesis strategies of all tests, and the data that fills them.

A case is a geometry; `arrays` fills it with values. Its `out_shape` follows from how it was drawn, not from fastconv's
own arithmetic. Channel counts lie on both sides of the tiles' edges (8, 16, 32 columns and half of that in float64),
pixel counts too (4, 6, 12).
"""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st
from naive import windows

CHANNELS = st.sampled_from([1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33])
FEW_CHANNELS = st.sampled_from([1, 2, 3, 4, 4, 5, 9, 17])  # for each group
DTYPES = st.sampled_from(["float32", "float64"])
LAYOUTS = st.sampled_from(["NHWC", "NCHW"])
BATCHES = st.sampled_from([None, 1, 1, 2, 3, 0])  # None: one image without the axis
ACTIVATIONS = st.sampled_from([None, "relu", "relu6", (-1.0, 0.5)])
SMALL_BLOCKS = {  # for each block, on 4 channels, its parts' kernel size, channels in and channels out
    "MLPConv": {"conv": (3, 4, 4), "cccp1": (1, 4, 2), "cccp2": (1, 2, 4)},
    "Reduced": {"reduce": (1, 4, 2), "conv": (3, 2, 2)},
    "Bottleneck": {"reduce": (1, 4, 2), "conv": (3, 2, 2), "expand": (1, 2, 4), "shortcut": (1, 4, 4)},
    "Fire": {"squeeze": (1, 4, 2), "expand1x1": (1, 2, 4), "expand3x3": (3, 2, 2)},
    "Inception": {
        "branch1x1": (1, 4, 2),
        "reduce3x3": (1, 4, 2),
        "branch3x3": (3, 2, 2),
        "reduce5x5": (1, 4, 2),
        "branch5x5": (5, 2, 3),
        "pool_proj": (1, 4, 4),
    },
}
ROWS, COLUMNS = st.integers(1, 6), st.integers(1, 14)  # of the output


def integers(rng, shape, dtype):
    """Whole numbers from -3 to 3: the sums in this suite stay below 2^24, so float32 holds every one exactly."""
    return rng.integers(-3, 4, shape, np.int8).astype(dtype)


def normals(rng, shape, dtype):
    """Standard normal values."""
    return rng.standard_normal(shape, dtype)


def non_finite(rng, shape, dtype):
    """Normal values, one in thirty of them NaN or infinite."""
    return _mixed(rng, shape, dtype, [np.nan, np.inf, -np.inf])


def huge(rng, shape, dtype):
    """Normal values, one in thirty of them so large that sums and products overflow float32, or subnormal there."""
    return _mixed(rng, shape, dtype, [1e38, -1e38, 1e-40])


def _mixed(rng, shape, dtype, special):
    return np.where(rng.random(shape) < 1 / 30, rng.choice(np.array(special, dtype), shape), normals(rng, shape, dtype))


def in_layout(shape, layout):
    """An (N, H, W, C) or (H, W, C) shape in `layout`."""
    return shape if layout == "NHWC" else (*shape[:-3], shape[-1], *shape[-3:-1])


def kernel_in_layout(shape, layout):
    """An HWIO shape in `layout`."""
    return shape if layout == "NHWC" else (shape[3], shape[2], *shape[:2])


@dataclass(frozen=True)
class ConvCase:
    """Shapes in the layout of `options`; for a pointwise convolution weight_shape has two axes."""

    x_shape: tuple
    weight_shape: tuple
    out_shape: tuple
    dtype: str = "float32"
    bias: bool = True
    residual: bool = False
    options: dict = field(default_factory=dict)

    @property
    def out_channels(self):
        return self.out_shape[-1 if self.options.get("layout", "NHWC") == "NHWC" else -3]

    def arrays(self, values):
        """x, weight, bias and residual by name, filled by `values`."""
        rng = np.random.default_rng(0)
        shapes = {"x": self.x_shape, "weight": self.weight_shape}
        if self.bias:
            shapes["bias"] = (self.out_channels,)
        if self.residual:
            shapes["residual"] = self.out_shape
        return {name: values(rng, shape, self.dtype) for name, shape in shapes.items()}


@dataclass(frozen=True)
class PoolCase:
    """A pooling, in the layout of `options`."""

    x_shape: tuple
    out_shape: tuple
    kernel: object
    dtype: str
    options: dict

    def x(self, values):
        return values(np.random.default_rng(0), self.x_shape, self.dtype)


@dataclass(frozen=True)
class BlockCase:
    """A block by the name of its class; `weights` are the shapes of its parts in order, in the layout of `options`."""

    name: str
    x_shape: tuple
    weights: tuple
    dtype: str
    bias: bool
    options: dict

    def arrays(self, values):
        """x and the (weight, bias) pairs, in order."""
        rng = np.random.default_rng(0)
        out_axis = 3 if self.options.get("layout", "NHWC") == "NHWC" else 0
        pairs = [
            (values(rng, shape, self.dtype), values(rng, (shape[out_axis],), self.dtype) if self.bias else None)
            for shape in self.weights
        ]
        return values(rng, self.x_shape, self.dtype), pairs


def small_block(name, layout="NHWC", values=normals, dtype="float32"):
    """(x, pairs by name) of a small block."""
    sizes = SMALL_BLOCKS[name]
    weights = tuple(kernel_in_layout((k, k, c, out), layout) for k, c, out in sizes.values())
    case = BlockCase(name, in_layout((2, 6, 7, 4), layout), weights, dtype, True, {"layout": layout})
    x, pairs = case.arrays(values)
    return x, dict(zip(sizes, pairs, strict=True))


def _pairs(number):
    """An int, or a pair of them, as stride, padding and dilation take it."""
    return st.one_of(number, st.tuples(number, number))


STEPS = _pairs(st.integers(1, 3))  # strides and dilations


def _both(value):
    return value if isinstance(value, tuple) else (value, value)


def _paddings(side):
    sides = st.tuples(side, side)
    return st.one_of(st.sampled_from(["same", "valid"]), _pairs(side), st.tuples(sides, sides))


@st.composite
def _sizes(draw, extent, stride, padding):
    """(input, output) height and width; `output` is drawn, `input` is what gives it, spare last pixels included."""
    sizes = []
    for axis, outputs in enumerate((ROWS, COLUMNS)):
        out, spare = draw(outputs), draw(st.integers(0, stride[axis] - 1))
        if padding == "same":
            sizes.append((out * stride[axis] - spare, out))
            continue
        total = 0 if padding == "valid" else np.sum(_both(_both(padding)[axis]))
        size = (out - 1) * stride[axis] + extent[axis] - int(total) + spare
        if size < 0:  # the padding alone gives more outputs than were drawn
            out += -(size // stride[axis])
            size += -(size // stride[axis]) * stride[axis]
        sizes.append((size, out))
    (height, out_height), (width, out_width) = sizes
    return (height, width), (out_height, out_width)


@st.composite
def conv_cases(draw):
    """Convolutions of every geometry that `conv2d` takes."""
    side = st.integers(1, 5)
    kernel, stride, dilation = draw(st.tuples(st.tuples(side, side), STEPS, STEPS))
    extent = tuple((k - 1) * d + 1 for k, d in zip(kernel, _both(dilation), strict=True))
    padding = draw(_paddings(st.integers(0, 3)))
    groups = draw(st.sampled_from([1, 1, 2, 3, 8, 17]))
    channels = CHANNELS if groups == 1 else FEW_CHANNELS
    group_in, group_out = draw(st.one_of(st.just(1), channels)), draw(channels)  # 1 channel for each group: depthwise
    options = {"stride": stride, "dilation": dilation, "padding": padding, "groups": groups}
    return _conv_case(draw, (*kernel, group_in, group_out * groups), extent, group_in * groups, options)


@st.composite
def pointwise_cases(draw):
    """1×1 convolutions as `pointwise` takes them."""
    group_in, group_out = draw(CHANNELS), draw(CHANNELS)
    geometry = {"stride": draw(STEPS), "padding": "valid"}
    case = _conv_case(draw, (1, 1, group_in, group_out), (1, 1), group_in, geometry)
    options = {name: value for name, value in case.options.items() if name != "padding"}
    matrix = (group_in, group_out) if options["layout"] == "NHWC" else (group_out, group_in)
    return ConvCase(case.x_shape, matrix, case.out_shape, case.dtype, case.bias, case.residual, options)


def _conv_case(draw, weight_shape, extent, channels, options):
    size, out_size = draw(_sizes(extent, _both(options["stride"]), options["padding"]))
    batch, layout = draw(BATCHES), draw(LAYOUTS)
    batch = () if batch is None else (batch,)
    return ConvCase(
        in_layout((*batch, *size, channels), layout),
        kernel_in_layout(weight_shape, layout),
        in_layout((*batch, *out_size, weight_shape[3]), layout),
        draw(DTYPES),
        draw(st.booleans()),
        draw(st.booleans()),
        {**options, "layout": layout, "activation": draw(ACTIVATIONS)},
    )


@st.composite
def pool_cases(draw):
    """Windows of every geometry, the padding smaller than the window."""
    kernel = draw(_pairs(st.integers(1, 5)))
    stride = draw(st.one_of(st.none(), STEPS))
    step = _both(kernel if stride is None else stride)
    padding = draw(_paddings(st.integers(0, min(_both(kernel)) - 1)))
    size, out_size = draw(_sizes(_both(kernel), step, padding))
    batch, layout, channels = draw(st.tuples(BATCHES, LAYOUTS, st.one_of(CHANNELS, st.sampled_from([63, 64, 65, 130]))))
    batch = () if batch is None else (batch,)
    if 0 in size:  # a map without pixels cannot be pooled
        size, out_size, stride, padding = _both(kernel), (1, 1), stride, "valid"
    ceil_mode = draw(st.booleans())
    if ceil_mode and padding != "same":
        sides = [(0, 0) if padding == "valid" else _both(_both(padding)[axis]) for axis in (0, 1)]
        out_size = tuple(map(windows, size, _both(kernel), step, sides, (True, True)))
    return PoolCase(
        in_layout((*batch, *size, channels), layout),
        in_layout((*batch, *out_size, channels), layout),
        kernel,
        draw(DTYPES),
        {"stride": stride, "padding": padding, "ceil_mode": ceil_mode, "layout": layout},
    )


def _block_parts(draw, name, c):
    """(HWIO shapes of the parts in order, options) of a block on c channels."""
    few = st.sampled_from([1, 3, 8, 9, 16, 17])
    a, b, d, e, f, g = (draw(few) for _ in range(6))
    stride = draw(st.integers(1, 2))
    if name == "MLPConv":
        k = draw(st.integers(1, 5))
        parts = [(k, k, c, a), (1, 1, a, b), (1, 1, b, d)]
        return parts[: draw(st.integers(1, 3))], {"stride": stride, "padding": k // 2}
    if name == "Reduced":
        k = draw(st.integers(1, 5))
        return [(1, 1, c, a), (k, k, a, b)], {"stride": stride, "padding": draw(st.sampled_from([k // 2, "same"]))}
    if name == "Bottleneck":
        k, stride_in = draw(st.sampled_from([1, 3, 5])), draw(st.sampled_from(["conv", "reduce"]))
        shortcut = [(1, 1, c, d)] if draw(st.booleans()) else []
        out, stride = (d, stride) if shortcut else (c, 1)
        return [(1, 1, c, a), (k, k, a, b), (1, 1, b, out), *shortcut], {"stride": stride, "stride_in": stride_in}
    if name == "Fire":
        return [(1, 1, c, a), (1, 1, a, b), (3, 3, a, d)], {}
    return [(1, 1, c, a), (1, 1, c, b), (3, 3, b, d), (1, 1, c, e), (5, 5, e, f), (1, 1, c, g)], {}


@st.composite
def block_cases(draw, name):
    """Blocks of this name on small maps."""
    batch, layout, channels = draw(BATCHES), draw(LAYOUTS), draw(CHANNELS)
    weights, options = _block_parts(draw, name, channels)
    size = draw(st.tuples(st.integers(3, 7), st.integers(3, 14)))
    return BlockCase(
        name,
        in_layout((*(() if batch is None else (batch,)), *size, channels), layout),
        tuple(kernel_in_layout(shape, layout) for shape in weights),
        draw(DTYPES),
        draw(st.booleans()),
        {**options, "layout": layout, "activation": draw(ACTIVATIONS)},
    )
