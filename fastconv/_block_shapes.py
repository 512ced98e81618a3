"""How the convolutions of a block chain: what each part reads, and which shapes are errors.

A block's function takes the weights' shapes and returns its `Part`s, checked against each other, without knowing x;
`conv_shapes` then gives each part's `ConvShape` for an x. Like `_shapes`, this floor raises whatever a user gets wrong.
"""

from dataclasses import dataclass

from fastconv._shapes import conv_shape, one_of, pair, weight_shape


@dataclass(frozen=True, slots=True)
class Part:
    """One convolution of a block: its name, its weight's shape in the block's layout, the part it reads ("x" or a name)."""

    name: str
    weight: tuple
    source: str
    stride: object = 1
    padding: object = 0


def weight_and_bias(name, value):
    """`value` as (weight, bias), when it is such a pair."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} must be a pair (weight, bias), got {value!r:.80}")
    return value[0], value[1]


def mlpconv(conv, *cccp, stride=1, padding=0, layout="NHWC"):
    """Parts "conv", "cccp1", "cccp2", …: a k×k convolution, then 1×1s."""
    names = ["conv", *(f"cccp{i}" for i in range(1, len(cccp) + 1))]
    pointwise = [Part(name, w, before) for name, w, before in zip(names[1:], cccp, names, strict=False)]
    return _chained(layout, Part("conv", conv, "x", stride, padding), *pointwise, kernels=dict.fromkeys(names[1:], 1))


def reduced(reduce, conv, *, stride=1, padding=0, layout="NHWC"):
    """Parts "reduce", "conv": a 1×1, then a k×k convolution."""
    return _chained(
        layout, Part("reduce", reduce, "x"), Part("conv", conv, "reduce", stride, padding), kernels={"reduce": 1}
    )


def bottleneck(reduce, conv, expand, shortcut=None, *, stride=1, stride_in="conv", layout="NHWC"):
    """Parts "reduce", "conv", "expand" and, where it is a projection, "shortcut"."""
    one_of("stride_in", stride_in, ("conv", "reduce"))
    stride = pair("stride", stride, 1)
    strides = {"conv": 1, "reduce": 1, stride_in: stride}
    size = _kernel("conv", conv, layout)
    if not all(k % 2 for k in size):
        raise ValueError(f"conv must have an odd kernel, got {size[0]}×{size[1]} of shape {tuple(conv)}")
    parts = [
        Part("reduce", reduce, "x", strides["reduce"]),
        Part("conv", conv, "reduce", strides["conv"], ((size[0] - 1) // 2, (size[1] - 1) // 2)),
        Part("expand", expand, "conv"),
    ]
    if shortcut is not None:
        parts.append(Part("shortcut", shortcut, "x", stride))
    parts = _chained(layout, *parts, kernels={"reduce": 1, "expand": 1, "shortcut": 1})
    channels, out_channels = _channels("reduce", reduce, layout)[0], _channels("expand", expand, layout)[1]
    if shortcut is None and (stride != (1, 1) or channels != out_channels):
        raise ValueError(
            f"shortcut must be a projection (weight, bias) where stride is not 1 or the channels change, "
            f"got None with stride {stride} and {channels} to {out_channels} channels"
        )
    if shortcut is not None and _channels("shortcut", shortcut, layout)[1] != out_channels:
        raise ValueError(
            f"shortcut must give the {out_channels} channels that expand of shape {tuple(expand)} gives, "
            f"got shape {tuple(shortcut)} in layout {layout}"
        )
    return parts


def fire(squeeze, expand1x1, expand3x3, *, layout="NHWC"):
    """Parts "squeeze", "expand1x1", "expand3x3"; the last two are the output."""
    return _chained(
        layout,
        Part("squeeze", squeeze, "x"),
        Part("expand1x1", expand1x1, "squeeze"),
        Part("expand3x3", expand3x3, "squeeze", padding=1),
        kernels={"squeeze": 1, "expand1x1": 1, "expand3x3": 3},
    )


def inception(branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj, *, layout="NHWC"):
    """Parts in the order of the arguments; the pool before `pool_proj` keeps x's shape."""
    return _chained(
        layout,
        Part("branch1x1", branch1x1, "x"),
        Part("reduce3x3", reduce3x3, "x"),
        Part("branch3x3", branch3x3, "reduce3x3", padding=1),
        Part("reduce5x5", reduce5x5, "x"),
        Part("branch5x5", branch5x5, "reduce5x5", padding=2),
        Part("pool_proj", pool_proj, "x"),
        kernels={"branch1x1": 1, "reduce3x3": 1, "branch3x3": 3, "reduce5x5": 1, "branch5x5": 5, "pool_proj": 1},
    )


def conv_shapes(parts, x_shape, *, layout="NHWC"):
    """{part's name: its `ConvShape`} for an x of this shape, in the parts' order."""
    outputs, shapes = {"x": tuple(x_shape)}, {}
    for part in parts:
        shape = _naming(
            part.name,
            conv_shape,
            outputs[part.source],
            part.weight,
            stride=part.stride,
            padding=part.padding,
            layout=layout,
        )
        shapes[part.name] = shape
        size, channels = (shape.out_height, shape.out_width), (shape.out_channels,)
        outputs[part.name] = (shape.batch, *(size + channels if layout == "NHWC" else channels + size))
    return shapes


def _chained(layout, *parts, kernels):
    """`parts`, when each takes the channels that its source gives and has the kernel named for it."""
    one_of("layout", layout, ("NHWC", "NCHW"))
    given, taken = {}, {}
    for part in parts:
        taken[part.name], given[part.name] = _channels(part.name, part.weight, layout)
        size, wanted = _kernel(part.name, part.weight, layout), kernels.get(part.name)
        if wanted is not None and size != (wanted, wanted):
            raise ValueError(
                f"{part.name} must have a {wanted}×{wanted} kernel, got shape {tuple(part.weight)} in layout {layout}"
            )
        # Parts that read x must agree with the first one that does.
        source, channels = ("x", given.setdefault("x", taken[part.name])) if part.source == "x" else (part.source, given[part.source])
        if taken[part.name] != channels:
            raise ValueError(
                f"{part.name} of shape {tuple(part.weight)} takes {taken[part.name]} channels in layout {layout}, "
                f"but {source} has {channels}"
            )
    return parts
