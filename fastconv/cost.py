"""What a convolution or a block costs, by exact arithmetic on shapes; nothing is timed.

Every function takes the shape of x, the shape of each weight, and `bias`, whether there is one beside each. Shapes are
those of `layout`: (N, H, W, C) or (H, W, C) with HWIO weights, or their NCHW and OIHW likes.

- MACs are multiply-accumulates (one MAC is two FLOP): every tap of every output counts, taps on padding too, as the
  papers count. Pooling, biases, sums and ReLUs have none.
- Parameters are weights and biases.
- Bytes are the least that must move: x read once, the parameters read once, the output written once. Arrays between
  the convolutions of a block can stay in cache, so they are not counted.

Where a cell printed in a paper disagrees with these counts the arithmetic stands; `fastconv.networks` says where.

Examples
--------
GoogLeNet's 5×5 layer, with and without a 1×1 before it:

>>> from fastconv import cost
>>> direct = cost.conv2d((28, 28, 192), (5, 5, 192, 32), padding=2)
>>> f"{direct.macs:,}"
'120,422,400'
>>> reduced = cost.reduced((28, 28, 192), (1, 1, 192, 16), (5, 5, 16, 32), padding=2)
>>> f"{reduced.macs:,}, {direct.macs / reduced.macs:.2f}×"
'12,443,648, 9.68×'
"""

from typing import Any

from fastconv._checks import arguments, pool_shapes, shapes
from fastconv._checks.types import Layout, Padding, Pair, Shape, StrideIn
from fastconv._graph import blocks
from fastconv._graph.costs import Cost
from fastconv._graph.graph import single
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.pools import Pool

__all__ = ["Cost", "bottleneck", "conv2d", "fire", "inception", "mlpconv", "pointwise", "pool2d", "reduced"]


def conv2d(
    x_shape: Shape,
    weight: Shape,
    *,
    bias: bool = True,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    layout: Layout = "NHWC",
    itemsize: int = 4,
) -> Cost:
    """Cost of a convolution: N·P·Q·K·R·S·C/groups MACs.

    Parameters
    ----------
    x_shape, weight : tuple of int
        The shapes of the arrays.
    bias : bool, default True
        Whether there is one.
    stride, padding, dilation, groups, layout
        As in `fastconv.conv2d`.
    itemsize : int, default 4
        Bytes of an element.

    Returns
    -------
    Cost

    Raises
    ------
    TypeError, ValueError
        As `fastconv.conv2d` does for arrays of these shapes.

    Examples
    --------
    >>> conv2d((28, 28, 192), (5, 5, 192, 32), padding=2)
    Cost(macs=120422400, params=153632, bytes=1316992)
    """
    geometry = shapes.conv_geometry(weight, stride, padding, dilation, groups, layout)
    return single(Conv(geometry, arguments.boolean("bias", bias)), geometry.layout).cost(x_shape, itemsize=itemsize)


def pointwise(
    x_shape: Shape, weight: Shape, *, bias: bool = True, stride: Pair = 1, layout: Layout = "NHWC", itemsize: int = 4
) -> Cost:
    """Cost of a 1×1 convolution, whose weight has shape (C, K), or (K, C) in layout NCHW; the rest as in `conv2d`.

    Examples
    --------
    >>> pointwise((28, 28, 192), (192, 16))
    Cost(macs=2408448, params=3088, bytes=664640)
    """
    x_shape = arguments.sizes("x", x_shape)
    kernel = shapes.pointwise_shape(weight, x_shape, layout)
    return conv2d(x_shape, kernel, bias=bias, stride=stride, layout=layout, itemsize=itemsize)


def pool2d(
    x_shape: Shape,
    kernel: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    layout: Layout = "NHWC",
    itemsize: int = 4,
) -> Cost:
    """Cost of a max or average pooling: bytes only. Arguments as in `fastconv.max_pool2d`.

    Examples
    --------
    >>> pool2d((111, 111, 96), 3, stride=2)
    Cost(macs=0, params=0, bytes=5892864)
    """
    geometry = pool_shapes.pool_geometry(kernel, stride, padding, ceil_mode, layout=layout)
    return single(Pool("max", geometry), geometry.layout).cost(x_shape, itemsize=itemsize)


def mlpconv(
    x_shape: Shape,
    conv: Shape,
    *cccp: Shape,
    bias: bool = True,
    stride: Pair = 1,
    padding: Padding = 0,
    layout: Layout = "NHWC",
    itemsize: int = 4,
) -> Cost:
    """Cost of `fastconv.MLPConv`: a k×k convolution, then 1×1s.

    Parameters
    ----------
    x_shape, conv, *cccp : tuple of int
        The shapes of x and of the weight of each part; the same in every block below.
    bias : bool, default True
        Whether each part has one.
    stride, padding, layout, itemsize
        As in `conv2d`.

    Returns
    -------
    Cost

    Raises
    ------
    TypeError, ValueError
        As the block does for arrays of these shapes; the same in every block below.

    References
    ----------
    Lin, Chen and Yan, "Network in Network", arXiv:1312.4400, section 3.1.

    Examples
    --------
    >>> mlpconv((27, 27, 96), (5, 5, 96, 256), (1, 1, 256, 256), (1, 1, 256, 256), padding=2)
    Cost(macs=543449088, params=746240, bytes=4011392)
    """
    return _block("mlpconv", x_shape, (conv, *cccp), bias, itemsize, layout=layout, stride=stride, padding=padding)


def reduced(
    x_shape: Shape,
    reduce: Shape,
    conv: Shape,
    *,
    bias: bool = True,
    stride: Pair = 1,
    padding: Padding = 0,
    layout: Layout = "NHWC",
    itemsize: int = 4,
) -> Cost:
    """Cost of `fastconv.Reduced`: a 1×1, then a k×k convolution.

    References
    ----------
    Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, section 4.

    Examples
    --------
    >>> reduced((28, 28, 192), (1, 1, 192, 16), (5, 5, 16, 32), padding=2)
    Cost(macs=12443648, params=15920, bytes=766144)
    """
    return _block("reduced", x_shape, (reduce, conv), bias, itemsize, layout=layout, stride=stride, padding=padding)


def bottleneck(
    x_shape: Shape,
    reduce: Shape,
    conv: Shape,
    expand: Shape,
    shortcut: Shape | None = None,
    *,
    bias: bool = True,
    stride: Pair = 1,
    stride_in: StrideIn = "conv",
    layout: Layout = "NHWC",
    itemsize: int = 4,
) -> Cost:
    """Cost of `fastconv.Bottleneck`: 1×1, k×k, 1×1, and the projection of a `shortcut` that is not None.

    `stride_in` "conv" strides in the k×k convolution (v1.5), "reduce" in the first 1×1 (the paper's v1).

    References
    ----------
    He et al., "Deep residual learning for image recognition", arXiv:1512.03385, figure 5.

    Examples
    --------
    >>> bottleneck((56, 56, 256), (1, 1, 256, 64), (3, 3, 64, 64), (1, 1, 64, 256))
    Cost(macs=218365952, params=70016, bytes=6702592)
    """
    weights = (reduce, conv, expand) if shortcut is None else (reduce, conv, expand, shortcut)
    return _block("bottleneck", x_shape, weights, bias, itemsize, layout=layout, stride=stride, stride_in=stride_in)


def fire(
    x_shape: Shape,
    squeeze: Shape,
    expand1x1: Shape,
    expand3x3: Shape,
    *,
    bias: bool = True,
    layout: Layout = "NHWC",
    itemsize: int = 4,
) -> Cost:
    """Cost of `fastconv.Fire`: a 1×1, then a 1×1 and a 3×3 side by side.

    References
    ----------
    Iandola et al., "SqueezeNet", arXiv:1602.07360, section 3.2.

    Examples
    --------
    >>> fire((55, 55, 96), (1, 1, 96, 16), (1, 1, 16, 64), (3, 3, 16, 64))
    Cost(macs=35622400, params=11920, bytes=2758080)
    """
    return _block("fire", x_shape, (squeeze, expand1x1, expand3x3), bias, itemsize, layout=layout)


def inception(
    x_shape: Shape,
    branch1x1: Shape,
    reduce3x3: Shape,
    branch3x3: Shape,
    reduce5x5: Shape,
    branch5x5: Shape,
    pool_proj: Shape,
    *,
    bias: bool = True,
    layout: Layout = "NHWC",
    itemsize: int = 4,
) -> Cost:
    """Cost of `fastconv.Inception`: four branches side by side.

    References
    ----------
    Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, figure 2(b).

    Examples
    --------
    Inception 3a:

    >>> sizes = (1, 192, 64), (1, 192, 96), (3, 96, 128), (1, 192, 16), (5, 16, 32), (1, 192, 32)
    >>> inception((28, 28, 192), *[(k, k, c, out) for k, c, out in sizes])
    Cost(macs=128049152, params=163696, bytes=2059712)
    """
    weights = (branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj)
    return _block("inception", x_shape, weights, bias, itemsize, layout=layout)


def _block(kind: str, x_shape: Shape, weights: tuple[Shape, ...], bias: bool, itemsize: int, **options: Any) -> Cost:
    return blocks.of_shapes(kind, weights, arguments.boolean("bias", bias), **options).cost(x_shape, itemsize=itemsize)
