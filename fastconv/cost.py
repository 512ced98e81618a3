"""What a convolution or a block costs, by exact arithmetic on shapes; nothing is timed.

Every function takes the shape of x and, where a plan takes a weight and a bias, a pair (shape of the weight, whether it
has a bias). Shapes are those of `layout`: (N, H, W, C) or (H, W, C) with HWIO weights, or their NCHW and OIHW likes.

- MACs are multiply-accumulates (one MAC is two FLOP): every tap of every output counts, taps on padding too, as the
  papers count. Pooling, biases, sums and ReLUs have none.
- Parameters are weights and biases.
- Bytes are the least that must move: x read once, the parameters read once, the output written once. What lies between
  the convolutions of a block can stay in cache, so it is not counted.

Where a cell printed in a paper disagrees with these counts the arithmetic stands; `fastconv.networks` says where.

Examples
--------
GoogLeNet's 5×5 layer, with and without a 1×1 before it:

>>> from fastconv import cost
>>> direct = cost.conv2d((28, 28, 192), ((5, 5, 192, 32), True), padding=2)
>>> f"{direct.macs:,}"
'120,422,400'
>>> reduced = cost.reduced((28, 28, 192), ((1, 1, 192, 16), True), ((5, 5, 16, 32), True), padding=2)
>>> f"{reduced.macs:,}, {direct.macs / reduced.macs:.2f}×"
'12,443,648, 9.68×'
"""

import numpy as np

from fastconv._checks import arguments, pool_shapes, shapes
from fastconv._graph import blocks
from fastconv._graph.costs import Cost
from fastconv._graph.graph import single
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.pools import Pool

__all__ = ["Cost", "bottleneck", "conv2d", "fire", "inception", "mlpconv", "pointwise", "pool2d", "reduced"]


def conv2d(x_shape, conv, *, stride=1, padding=0, dilation=1, groups=1, layout="NHWC", itemsize=4):
    """Cost of a convolution: N·P·Q·K·R·S·C/groups MACs.

    Parameters
    ----------
    x_shape : tuple of int
    conv : (tuple of int, bool)
        The weight's shape and whether there is a bias.
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
    >>> conv2d((28, 28, 192), ((5, 5, 192, 32), True), padding=2)
    Cost(macs=120422400, params=153632, bytes=1316992)
    """
    weight, has_bias = _pair("conv", conv)
    geometry = shapes.conv_geometry(
        weight, stride=stride, padding=padding, dilation=dilation, groups=groups, layout=layout
    )
    return single(Conv(geometry, has_bias), geometry.layout).cost(x_shape, itemsize)


def pointwise(x_shape, conv, *, stride=1, layout="NHWC", itemsize=4):
    """Cost of a 1×1 convolution, whose weight has shape (C, K), or (K, C) in layout NCHW; the rest as in `conv2d`.

    Examples
    --------
    >>> pointwise((28, 28, 192), ((192, 16), True))
    Cost(macs=2408448, params=3088, bytes=664640)
    """
    weight, has_bias = _pair("conv", conv)
    x_shape = arguments.sizes("x", x_shape)
    kernel = shapes.pointwise_shape(weight, x_shape, layout)
    return conv2d(x_shape, (kernel, has_bias), stride=stride, layout=layout, itemsize=itemsize)


def pool2d(x_shape, kernel, *, stride=None, padding=0, layout="NHWC", itemsize=4):
    """Cost of a max or average pooling: bytes only. Arguments as in `fastconv.max_pool2d`.

    Examples
    --------
    >>> pool2d((111, 111, 96), 3, stride=2)
    Cost(macs=0, params=0, bytes=5892864)
    """
    geometry = pool_shapes.pool_geometry(kernel, stride=stride, padding=padding, layout=layout)
    return single(Pool("max", geometry), geometry.layout).cost(x_shape, itemsize)


def mlpconv(x_shape, conv, *cccp, stride=1, padding=0, layout="NHWC", itemsize=4):
    """Cost of `fastconv.MLPConv`: a k×k convolution, then 1×1s.

    Parameters
    ----------
    x_shape : tuple of int
    conv, *cccp : (tuple of int, bool)
        For each part, the weight's shape and whether there is a bias; the same in every block below.
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
    >>> mlpconv((27, 27, 96), ((5, 5, 96, 256), True), ((1, 1, 256, 256), True), ((1, 1, 256, 256), True), padding=2)
    Cost(macs=543449088, params=746240, bytes=4011392)
    """
    return _block("mlpconv", x_shape, (conv, *cccp), layout, itemsize, stride=stride, padding=padding)


def reduced(x_shape, reduce, conv, *, stride=1, padding=0, layout="NHWC", itemsize=4):
    """Cost of `fastconv.Reduced`: a 1×1, then a k×k convolution.

    References
    ----------
    Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, section 4.

    Examples
    --------
    >>> reduced((28, 28, 192), ((1, 1, 192, 16), True), ((5, 5, 16, 32), True), padding=2)
    Cost(macs=12443648, params=15920, bytes=766144)
    """
    return _block("reduced", x_shape, (reduce, conv), layout, itemsize, stride=stride, padding=padding)


def bottleneck(x_shape, reduce, conv, expand, shortcut=None, *, stride=1, stride_in="conv", layout="NHWC", itemsize=4):
    """Cost of `fastconv.Bottleneck`: 1×1, k×k, 1×1, and the projection of a `shortcut` that is not None.

    `stride_in` "conv" strides in the k×k convolution (v1.5), "reduce" in the first 1×1 (the paper's v1).

    References
    ----------
    He et al., "Deep residual learning for image recognition", arXiv:1512.03385, figure 5.

    Examples
    --------
    >>> bottleneck((56, 56, 256), ((1, 1, 256, 64), True), ((3, 3, 64, 64), True), ((1, 1, 64, 256), True))
    Cost(macs=218365952, params=70016, bytes=6702592)
    """
    pairs = (reduce, conv, expand) if shortcut is None else (reduce, conv, expand, shortcut)
    options = {"stride": stride, "stride_in": stride_in}
    return _block("bottleneck", x_shape, pairs, layout, itemsize, **options)


def fire(x_shape, squeeze, expand1x1, expand3x3, *, layout="NHWC", itemsize=4):
    """Cost of `fastconv.Fire`: a 1×1, then a 1×1 and a 3×3 side by side.

    References
    ----------
    Iandola et al., "SqueezeNet", arXiv:1602.07360, section 3.2.

    Examples
    --------
    >>> fire((55, 55, 96), ((1, 1, 96, 16), True), ((1, 1, 16, 64), True), ((3, 3, 16, 64), True))
    Cost(macs=35622400, params=11920, bytes=2758080)
    """
    return _block("fire", x_shape, (squeeze, expand1x1, expand3x3), layout, itemsize)


def inception(x_shape, branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj, *, layout="NHWC", itemsize=4):
    """Cost of `fastconv.Inception`: four branches side by side.

    References
    ----------
    Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, figure 2(b).

    Examples
    --------
    Inception 3a:

    >>> sizes = (1, 192, 64), (1, 192, 96), (3, 96, 128), (1, 192, 16), (5, 16, 32), (1, 192, 32)
    >>> inception((28, 28, 192), *[((k, k, c, out), True) for k, c, out in sizes])
    Cost(macs=128049152, params=163696, bytes=2059712)
    """
    pairs = (branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj)
    return _block("inception", x_shape, pairs, layout, itemsize)


def _block(kind, x_shape, pairs, layout, itemsize, **options):
    pairs = [_pair("each part", pair) for pair in pairs]
    return blocks.of_shapes(kind, pairs, layout=layout, **options).cost(x_shape, itemsize)


def _pair(name, value):
    """`value`, when it is a pair (shape of the weight, whether there is a bias)."""
    weight, has_bias = tuple(value) if isinstance(value, tuple) and len(value) == 2 else (None, None)
    if not (isinstance(weight, (tuple, list)) and isinstance(has_bias, (bool, np.bool_))):
        raise TypeError(
            f"{name} must be a pair (shape of the weight, whether it has a bias), such as ((3, 3, 64, 32), True), "
            f"got {arguments.kind(value)}"
        )
    return weight, bool(has_bias)
