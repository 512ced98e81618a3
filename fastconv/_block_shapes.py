"""How the convolutions of a block chain; like `_shapes`, this floor raises whatever a user gets wrong.

A block's function takes the shapes of its weights, tuples of integers, checks them against each other and returns its
parts, in order, before any x is known; these are called as its arguments are. `conv_shapes` then gives each part's
`ConvShape` for an x.
"""

import inspect
from itertools import count
from typing import NamedTuple

from fastconv._arguments import kind, named, one_of, pair, sizes
from fastconv._arrays import array, bias, result_shape
from fastconv._orders import LAYOUTS, ORDERS, weight_hint
from fastconv._shapes import conv_shape, padding_of, weight_shape


class Part(NamedTuple):
    """One convolution of a block. `source` is "x" or the part it reads; `kernel` is the size it must have, if any."""

    name: str
    weight: tuple
    source: str
    kernel: int | None = None
    stride: int | tuple = 1
    padding: object = 0

    def takes(self, kernel):
        """Whether its weight may have a kernel of this size, (R, S)."""
        return self.kernel is None or kernel == (self.kernel, self.kernel)


def arrays(chain, pairs, layout):
    """{name: (weight, bias)} as arrays of one dtype, from what a user gave as the parts of a block, whose function
    here is `chain`.
    """
    checked, dtype, first = {}, None, f"the weight of {next(_names(chain))}"
    for name, value in zip(_names(chain), pairs, strict=False):
        pair_of_arrays = tuple(value) if isinstance(value, (tuple, list)) else ()
        if len(pair_of_arrays) != 2 or isinstance(pair_of_arrays[0], tuple):
            raise TypeError(f"{name} must be a pair (weight, bias) or (weight, None), got {kind(value)}")
        weight, bias_or_none = pair_of_arrays
        weight = array(f"the weight of {name}", weight, dtype, other=first)
        dtype = weight.dtype
        _weight(name, weight.shape, layout)
        checked[name] = weight, None if bias_or_none is None else bias(bias_or_none, weight, layout, name)
    return checked


def weight_sizes(chain, shapes):
    """The shapes a user gave of the weights of a block, whose function here is `chain`, as tuples of integers."""
    frozen = []
    for name, shape in zip(_names(chain), shapes, strict=False):
        with named(name):
            frozen.append(sizes("weight", shape))
    return frozen


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
    stride, stride_in = pair("stride", stride, 1), one_of("stride_in", stride_in, ("conv", "reduce"))
    strides = {"conv": 1, "reduce": 1, stride_in: stride}
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
    if shortcut is None and (stride != (1, 1) or channels != out_channels):
        raise ValueError(
            "shortcut must be a projection where the shape changes, got None "
            f"with stride {stride} and {channels} channels in, {out_channels} out"
        )
    if shortcut is not None and _weight("shortcut", shortcut, layout)[3] != out_channels:
        raise ValueError(
            f"shortcut of shape {shortcut} must give the {out_channels} channels of expand, layout {layout}"
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
    outputs, shapes = {"x": sizes("x", x_shape)}, {}
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
    layout = one_of("layout", layout, LAYOUTS)
    with named(name):
        return weight_shape(shape, layout)


def _chained(layout, *parts):
    """`parts`, with their steps as pairs, when each has its kernel and takes the channels that its source gives."""
    channels, checked = {}, []
    for part in parts:
        stride, padding = pair("stride", part.stride, 1), padding_of(part.padding)
        checked.append(part._replace(stride=stride, padding=padding))
        r, s, c, k = _weight(part.name, part.weight, layout)
        if not part.takes((r, s)):
            raise ValueError(
                f"{part.name} must have a {part.kernel}×{part.kernel} kernel, got {r}×{s}: "
                f"shape {part.weight}, {ORDERS[layout]} in layout {layout}"
            )
        if c != channels.setdefault(part.source, c):  # "x" has the channels that its first reader takes
            hint = weight_hint(part.weight, 1, layout, channels[part.source], part.takes)
            raise ValueError(
                f"{part.name} of shape {part.weight} takes {c} channels in layout {layout}, "
                f"but {part.source} has {channels[part.source]}" + f"; {hint}" * bool(hint)
            )
        channels[part.name] = k
    return tuple(checked)
