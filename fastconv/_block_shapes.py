"""How the convolutions of a block chain; like `_shapes`, this floor raises whatever a user gets wrong.

A block's function takes the shapes of its weights, checks them against each other and returns its parts, in order,
before any x is known; these are called as its arguments are. `conv_shapes` then gives each part's `ConvShape` for an x.
"""

import inspect
from itertools import count
from typing import NamedTuple

from fastconv._arguments import kind, named, one_of, pair
from fastconv._arrays import array, bias, result_shape
from fastconv._orders import LAYOUTS, ORDERS, weight_hint
from fastconv._shapes import conv_shape, weight_shape


class Part(NamedTuple):
    """One convolution of a block. `source` is "x" or the part it reads; `kernel` is the size it must have, if any."""

    name: str
    weight: tuple
    source: str
    kernel: int | None = None
    stride: int | tuple = 1
    padding: object = 0


def arrays(chain, pairs, layout):
    """{name: (weight, bias)} as arrays of one dtype, from what a user gave as the parts of a block, whose function
    here is `chain`.
    """
    checked, dtype, first = {}, None, f"the weight of {next(_names(chain))}"
    for name, value in zip(_names(chain), pairs, strict=False):
        if not isinstance(value, (tuple, list)) or len(value) != 2 or isinstance(value[0], tuple):
            raise TypeError(f"{name} must be a pair (weight, bias) or (weight, None), got {kind(value)}")
        weight = array(f"the weight of {name}", value[0], dtype, other=first)
        dtype = weight.dtype
        _weight(name, weight.shape, layout)
        checked[name] = weight, None if value[1] is None else bias(value[1], weight, layout, name)
    return checked


def mlpconv(conv, *cccp, stride=1, padding=0, layout="NHWC"):
    """A k×k convolution, then 1×1s."""
    parts = [Part("conv", conv, "x", stride=stride, padding=padding)]
    for i, weight in enumerate(cccp, 1):
        parts.append(Part(f"cccp{i}", weight, parts[-1].name, 1))
    return _chained(layout, *parts)


def reduced(reduce, conv, *, stride=1, padding=0, layout="NHWC"):
    """A 1×1, then a k×k convolution."""
    return _chained(
        layout, Part("reduce", reduce, "x", 1), Part("conv", conv, "reduce", stride=stride, padding=padding)
    )


def bottleneck(reduce, conv, expand, shortcut=None, *, stride=1, stride_in="conv", layout="NHWC"):
    """1×1, k×k, 1×1, and the projection of a `shortcut` that is not None."""
    one_of("stride_in", stride_in, ("conv", "reduce"))
    strides = {"conv": 1, "reduce": 1, stride_in: pair("stride", stride, 1)}
    r, s = _weight("conv", conv, layout)[:2]
    if r % 2 == 0 or s % 2 == 0:
        raise ValueError(f"conv must have an odd kernel, got {r}×{s}")
    parts = [
        Part("reduce", reduce, "x", 1, stride=strides["reduce"]),
        Part("conv", conv, "reduce", stride=strides["conv"], padding=(r // 2, s // 2)),
        Part("expand", expand, "conv", 1),
    ]
    if shortcut is not None:
        parts.append(Part("shortcut", shortcut, "x", 1, stride=stride))
    parts = _chained(layout, *parts)
    channels, out_channels = _weight("reduce", reduce, layout)[2], _weight("expand", expand, layout)[3]
    if shortcut is None and (strides[stride_in] != (1, 1) or channels != out_channels):
        raise ValueError(
            "shortcut must be a projection where the shape changes, got None "
            f"with stride {strides[stride_in]} and {channels} channels in, {out_channels} out"
        )
    if shortcut is not None and _weight("shortcut", shortcut, layout)[3] != out_channels:
        raise ValueError(
            f"shortcut of shape {tuple(shortcut)} must give the {out_channels} channels of expand, layout {layout}"
        )
    return parts


def fire(squeeze, expand1x1, expand3x3, *, layout="NHWC"):
    """A 1×1, then a 1×1 and a 3×3, whose channels the output joins."""
    return _chained(
        layout,
        Part("squeeze", squeeze, "x", 1),
        Part("expand1x1", expand1x1, "squeeze", 1),
        Part("expand3x3", expand3x3, "squeeze", 3, padding=1),
    )


def inception(branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj, *, layout="NHWC"):
    """Four branches; the pool before `pool_proj` keeps the shape of x."""
    return _chained(
        layout,
        Part("branch1x1", branch1x1, "x", 1),
        Part("reduce3x3", reduce3x3, "x", 1),
        Part("branch3x3", branch3x3, "reduce3x3", 3, padding=1),
        Part("reduce5x5", reduce5x5, "x", 1),
        Part("branch5x5", branch5x5, "reduce5x5", 5, padding=2),
        Part("pool_proj", pool_proj, "x", 1),
    )


def joined(parts):
    """Names of the parts whose channels, side by side, are the output of the block."""
    read = {part.source for part in parts}
    return [part.name for part in parts if part.name not in read and part.name != "shortcut"]


def conv_shapes(parts, x_shape, *, layout="NHWC"):
    """{name: `ConvShape`} of the parts for an x of this shape."""
    outputs, shapes = {"x": x_shape}, {}
    for part in parts:
        with named(part.name):
            shape = conv_shape(
                outputs[part.source], part.weight, stride=part.stride, padding=part.padding, layout=layout
            )
        shapes[part.name] = shape
        outputs[part.name] = result_shape(
            (shape.batch, shape.out_height, shape.out_width, shape.out_channels), 4, layout
        )
    return shapes


def _names(chain):
    """What the parts of a block may be called: those of `*cccp` cccp1, cccp2, …"""
    for parameter in inspect.signature(chain).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            yield from (f"{parameter.name}{i}" for i in count(1))
        yield parameter.name


def _weight(name, shape, layout):
    """`weight_shape`, with the part's name in the error."""
    one_of("layout", layout, LAYOUTS)
    with named(name):
        return weight_shape(shape, layout)


def _chained(layout, *parts):
    """`parts`, when each has its kernel and takes the channels that its source gives."""
    channels = {}
    for part in parts:
        r, s, c, k = _weight(part.name, part.weight, layout)
        if part.kernel and (r, s) != (part.kernel, part.kernel):
            raise ValueError(
                f"{part.name} must have a {part.kernel}×{part.kernel} kernel, got {r}×{s}: "
                f"shape {tuple(part.weight)}, {ORDERS[layout]} in layout {layout}"
            )
        if c != channels.setdefault(part.source, c):  # "x" has the channels that its first reader takes
            hint = weight_hint(part.weight, 1, layout, channels[part.source])
            raise ValueError(
                f"{part.name} of shape {tuple(part.weight)} takes {c} channels in layout {layout}, "
                f"but {part.source} has {channels[part.source]}" + f"; {hint}" * bool(hint)
            )
        channels[part.name] = k
    return parts
