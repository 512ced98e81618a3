"""The blocks: each a function that builds a graph of its parts, (weight, bias) pairs under the names of its paper."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain, count, repeat
from typing import Any, NamedTuple

import numpy as np

from fastconv._checks import activations
from fastconv._checks.arguments import kind as kind_of
from fastconv._checks.arguments import named, one_of, pair, sizes
from fastconv._checks.arrays import bias as checked_bias
from fastconv._checks.orders import LAYOUTS, ORDERS
from fastconv._checks.pool_shapes import pool_geometry
from fastconv._checks.shapes import conv_geometry, padding_of, weight_shape
from fastconv._checks.types import Activation, Layout, Padding, Pair, Shape, StrideIn, WeightAndBias
from fastconv._graph.builder import Builder
from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Add, Clip
from fastconv._graph.operations.pools import Pool
from fastconv._graph.operations.shaping import Concat


def mlpconv(g: "BlockBuilder", conv: "Part", *cccp: "Part", stride: Pair = 1, padding: Padding = 0) -> Node:
    """A k×k convolution, then 1×1s."""
    y = g.conv(g.x, conv, stride=pair("stride", stride, 1), padding=padding_of(padding))
    for part in cccp:
        y = g.conv(y, part, 1)
    return y


def reduced(g: "BlockBuilder", reduce: "Part", conv: "Part", *, stride: Pair = 1, padding: Padding = 0) -> Node:
    """A 1×1, then a k×k convolution."""
    stride, padding = pair("stride", stride, 1), padding_of(padding)
    return g.conv(g.conv(g.x, reduce, 1), conv, stride=stride, padding=padding)


def bottleneck(
    g: "BlockBuilder",
    reduce: "Part",
    conv: "Part",
    expand: "Part",
    shortcut: "Part | None" = None,
    *,
    stride: Pair = 1,
    stride_in: StrideIn = "conv",
) -> Node:
    """1×1, k×k, 1×1, to which x is added, or the projection of a `shortcut`."""
    stride, stride_in = pair("stride", stride, 1), one_of("stride_in", stride_in, ("conv", "reduce"))
    strides: dict[str, Pair] = {"conv": 1, "reduce": 1, stride_in: stride}
    r, s, _, _ = conv.hwio
    if r % 2 == 0 or s % 2 == 0:
        raise ValueError(f"conv must have an odd kernel, got {r}×{s}")
    y = g.conv(g.x, reduce, 1, stride=strides["reduce"])
    y = g.conv(y, conv, stride=strides["conv"], padding=(r // 2, s // 2))
    y = g.conv(y, expand, 1, is_linear=True)
    channels, out_channels = reduce.hwio[2], expand.hwio[3]
    if shortcut is None and (stride != (1, 1) or channels != out_channels):
        raise ValueError(
            "shortcut must be a projection where the shape changes, got None "
            f"with stride {stride} and {channels} channels in, {out_channels} out"
        )
    z = g.x if shortcut is None else g.conv(g.x, shortcut, 1, stride=stride, is_linear=True)
    if shortcut is not None and shortcut.hwio[3] != out_channels:
        raise ValueError(
            f"shortcut of shape {shortcut.shape} must give the {out_channels} channels of expand, layout {g.layout}"
        )
    y = g.add(Add(), y, z)
    return y if g.activation is None else g.add(Clip(*activations.bounds(g.activation)), y)


def fire(g: "BlockBuilder", squeeze: "Part", expand1x1: "Part", expand3x3: "Part") -> Node:
    """A 1×1, then a 1×1 and a 3×3 side by side."""
    s = g.conv(g.x, squeeze, 1)
    return g.add(Concat(), g.conv(s, expand1x1, 1), g.conv(s, expand3x3, 3, padding=1))


def inception(
    g: "BlockBuilder",
    branch1x1: "Part",
    reduce3x3: "Part",
    branch3x3: "Part",
    reduce5x5: "Part",
    branch5x5: "Part",
    pool_proj: "Part",
) -> Node:
    """Four branches side by side; the pool keeps the shape of x."""
    branches = [
        g.conv(g.x, branch1x1, 1),
        g.conv(g.conv(g.x, reduce3x3, 1), branch3x3, 3, padding=1),
        g.conv(g.conv(g.x, reduce5x5, 1), branch5x5, 5, padding=2),
    ]
    pool = g.add(Pool("max", pool_geometry(3, stride=1, padding=1, layout=g.layout)), g.x, name="pool")
    return g.add(Concat(), *branches, g.conv(pool, pool_proj, 1))


BLOCKS: dict[str, Callable[..., Node]] = {
    function.__name__: function for function in (mlpconv, reduced, bottleneck, fire, inception)
}


class Part(NamedTuple):
    """The weight and bias of a convolution; the arrays are None where only shapes are known."""

    name: str
    shape: Shape  # of the weight as it was given
    hwio: tuple[int, int, int, int]
    has_bias: bool
    weight: np.ndarray | None = None  # HWIO
    bias: np.ndarray | None = None


class BlockBuilder(Builder):
    """What the functions above build with."""

    def __init__(self, layout: Layout, activation: Activation) -> None:
        super().__init__(one_of("layout", layout, LAYOUTS))
        self.activation: Activation = activations.checked(activation)

    def conv(
        self,
        x: Node,
        part: Part,
        kernel: int | None = None,
        *,
        stride: Pair = 1,
        padding: "Padding" = 0,
        is_linear: bool = False,
    ) -> Node:
        """The convolution of x with a part; `kernel` is the size that it must have, if any."""
        r, s, _, _ = part.hwio
        activation = None if is_linear else self.activation
        geometry = conv_geometry(part.shape, stride=stride, padding=padding, layout=self.layout)
        conv = Conv(geometry, part.has_bias, activation, "auto", part.weight, part.bias, kernel)
        if not conv.may_have((r, s)):
            raise ValueError(
                f"{part.name} must have a {kernel}×{kernel} kernel, got {r}×{s}: "
                f"shape {part.shape}, {ORDERS[self.layout]} in layout {self.layout}"
            )
        return self.add(conv, x, name=part.name)

    def given(self, name: str, value: Any) -> Part:
        """The `Part` of the pair of arrays that a user gave."""
        arrays = tuple(value) if isinstance(value, (tuple, list)) else ()
        if len(arrays) != 2 or isinstance(arrays[0], tuple):
            raise TypeError(f"{name} must be a pair (weight, bias) or (weight, None), got {kind_of(value)}")
        weight, bias = self.array(f"the weight of {name}", arrays[0]), arrays[1]
        part = self.sized(name, weight.shape, bias is not None)
        if bias is not None:
            bias = checked_bias(bias, weight, self.layout, name).copy()
        return part._replace(weight=weight if self.layout == "NHWC" else weight.transpose(2, 3, 1, 0), bias=bias)

    def sized(self, name: str, shape: Shape, has_bias: bool) -> Part:
        """The `Part` of a weight of this shape, without arrays."""
        with named(name):
            shape = sizes("weight", shape)
            return Part(name, shape, weight_shape(shape, self.layout), has_bias)


def of_arrays(
    kind: str,
    pairs: Sequence[WeightAndBias],
    layout: Layout,
    activation: Activation,
    **options: Any,
) -> Graph:
    """The graph of a block of this kind from pairs (weight, bias) of arrays."""
    g = BlockBuilder(layout, activation)
    return g.graph(BLOCKS[kind](g, *map(g.given, names(kind), pairs), **options))


def of_shapes(kind: str, weights: Sequence[Shape], has_bias: bool, *, layout: Layout = "NHWC", **options: Any) -> Graph:
    """The graph of a block of this kind from the shapes of the weights, and whether there is a bias beside each."""
    g = BlockBuilder(layout, "relu")
    return g.graph(BLOCKS[kind](g, *map(g.sized, names(kind), weights, repeat(has_bias)), **options))


def names(kind: str) -> Iterator[str]:
    """What the parts of a block of this kind may be called: those of `*cccp` cccp1, cccp2, …"""
    fixed, repeated = _parameters(kind)
    return chain(fixed, (f"{repeated}{i}" for i in count(1)) if repeated else ())


@cache
def _parameters(kind: str) -> tuple[tuple[str, ...], str | None]:
    """(names of the parts, the name of those that there are any number of)."""
    parameters = list(inspect.signature(BLOCKS[kind]).parameters.values())[1:]
    fixed = tuple(one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD)
    return fixed, next((one.name for one in parameters if one.kind is one.VAR_POSITIONAL), None)
