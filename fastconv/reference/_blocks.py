"""Blocks: each the formula of its paper, made of convolutions."""

import functools

import numpy as np

from fastconv import _arguments, _arrays, _block_shapes, _orders, _shapes
from fastconv.reference._convolutions import channel_axis, conv2d, max_pool2d


def mlpconv(x, conv, *cccp, stride=1, padding=0, activation="relu", layout="NHWC"):
    """Network in Network's block: y₀ = f(conv(x, conv)), yᵢ = f(conv(yᵢ₋₁, cccpᵢ)), the last is y.

    References
    ----------
    Lin, Chen and Yan, "Network in Network", arXiv:1312.4400, section 3.1, equation 2.

    Examples
    --------
    >>> x, pair = np.ones((4, 4, 2)), (np.ones((1, 1, 5, 5)), -np.ones(5))
    >>> mlpconv(x, (np.ones((3, 3, 2, 5)), None), pair, pair)[0, 0]
    array([444., 444., 444., 444., 444.])
    """
    stride, padding = _steps(stride, padding)
    x, (conv, *cccp) = _checked(_block_shapes.mlpconv, x, (conv, *cccp), layout, stride=stride, padding=padding)
    y = conv2d(x, *conv, stride=stride, padding=padding, activation=activation, layout=layout)
    for pair in cccp:
        y = conv2d(y, *pair, activation=activation, layout=layout)
    return y


def reduced(x, reduce, conv, *, stride=1, padding=0, activation="relu", layout="NHWC"):
    """GoogLeNet's 1×1 before a k×k convolution: y = f(conv(f(conv(x, reduce)), conv)).

    References
    ----------
    Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, section 4.

    Examples
    --------
    >>> x = np.ones((5, 5, 4))
    >>> reduced(x, (np.ones((1, 1, 4, 2)), -np.ones(2)), (np.ones((5, 5, 2, 1)), None))
    array([[[150.]]])
    """
    stride, padding = _steps(stride, padding)
    x, (reduce, conv) = _checked(_block_shapes.reduced, x, (reduce, conv), layout, stride=stride, padding=padding)
    y = conv2d(x, *reduce, activation=activation, layout=layout)
    return conv2d(y, *conv, stride=stride, padding=padding, activation=activation, layout=layout)


def bottleneck(x, reduce, conv, expand, shortcut=None, *, stride=1, stride_in="conv", activation="relu", layout="NHWC"):
    """ResNet's bottleneck: y = f(conv(f(conv(f(conv(x, reduce)), conv)), expand) + z).

    z is x, or conv(x, shortcut) for a projection. The k×k `conv` is padded by (k − 1) / 2. The stride is that of the
    shortcut and of `conv` (v1.5), or of `reduce` for `stride_in` "reduce" (the paper's v1).

    References
    ----------
    He et al., "Deep residual learning for image recognition", arXiv:1512.03385, figure 5 and equations 1 and 2.

    Examples
    --------
    >>> parts = (np.ones((1, 1, 4, 2)), None), (np.ones((3, 3, 2, 2)), None), (np.ones((1, 1, 2, 4)), None)
    >>> bottleneck(np.ones((3, 3, 4)), *parts)[1, 1]
    array([145., 145., 145., 145.])
    """
    stride, stride_in = _arguments.pair("stride", stride, 1), _arguments.plain(stride_in)
    pairs = (reduce, conv, expand) if shortcut is None else (reduce, conv, expand, shortcut)
    x, (reduce, conv, expand, *projection) = _checked(
        _block_shapes.bottleneck, x, pairs, layout, stride=stride, stride_in=stride_in
    )
    r, s, _, _ = _shapes.weight_shape(conv[0].shape, layout)
    strides = {"reduce": 1, "conv": 1, stride_in: stride}
    z = conv2d(x, *projection[0], stride=stride, layout=layout) if projection else x
    y = conv2d(x, *reduce, stride=strides["reduce"], activation=activation, layout=layout)
    y = conv2d(y, *conv, stride=strides["conv"], padding=(r // 2, s // 2), activation=activation, layout=layout)
    return conv2d(y, *expand, residual=z, activation=activation, layout=layout)


def fire(x, squeeze, expand1x1, expand3x3, *, activation="relu", layout="NHWC"):
    """SqueezeNet's Fire module: s = f(conv(x, squeeze)), y = [f(conv(s, expand1x1)), f(conv(s, expand3x3))].

    The 3×3 is padded by 1; [·] joins the channels.

    References
    ----------
    Iandola et al., "SqueezeNet", arXiv:1602.07360, section 3.2.

    Examples
    --------
    >>> x, squeeze = np.ones((3, 3, 4)), (np.ones((1, 1, 4, 1)), None)
    >>> y = fire(x, squeeze, (np.ones((1, 1, 1, 1)), None), (np.ones((3, 3, 1, 1)), np.array([-20.0])))
    >>> y[0, 0], y[1, 1]
    (array([4., 0.]), array([ 4., 16.]))
    """
    pairs = (squeeze, expand1x1, expand3x3)
    x, (squeeze, expand1x1, expand3x3) = _checked(_block_shapes.fire, x, pairs, layout)
    conv = functools.partial(conv2d, activation=activation, layout=layout)
    s = conv(x, *squeeze)
    return np.concatenate([conv(s, *expand1x1), conv(s, *expand3x3, padding=1)], channel_axis(layout))


def inception(x, branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj, *, activation="relu", layout="NHWC"):
    """GoogLeNet's Inception module with dimension reductions:

    y = [g(x, branch1x1), g(g(x, reduce3x3), branch3x3), g(g(x, reduce5x5), branch5x5), g(pool(x), pool_proj)],
    g(x, part) = f(conv(x, part)). The 3×3 is padded by 1, the 5×5 by 2; pool is a 3×3 max of stride 1 padded by 1; [·]
    joins the channels.

    References
    ----------
    Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, figure 2(b).

    Examples
    --------
    >>> sizes = (1, 2, 1), (1, 2, 3), (3, 3, 1), (1, 2, 1), (5, 1, 1), (1, 2, 1)
    >>> y = inception(np.ones((5, 5, 2)), *[(np.ones((k, k, c, out)), None) for k, c, out in sizes])
    >>> y[2, 2]
    array([ 2., 54., 50.,  2.])
    """
    pairs = (branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj)
    x, pairs = _checked(_block_shapes.inception, x, pairs, layout)
    branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj = pairs
    conv = functools.partial(conv2d, activation=activation, layout=layout)
    branches = [
        conv(x, *branch1x1),
        conv(conv(x, *reduce3x3), *branch3x3, padding=1),
        conv(conv(x, *reduce5x5), *branch5x5, padding=2),
        conv(max_pool2d(x, 3, stride=1, padding=1, layout=layout), *pool_proj),
    ]
    return np.concatenate(branches, channel_axis(layout))


def _steps(stride, padding):
    return _arguments.pair("stride", stride, 1), _shapes.padding_of(padding)


def _checked(chain, x, pairs, layout, **options):
    """x and the pairs of a block in float64, checked as the block checks them."""
    layout = _arguments.one_of("layout", layout, _orders.LAYOUTS)
    pairs = _block_shapes.arrays(chain, pairs, layout).values()
    parts = chain(*(weight.shape for weight, _ in pairs), layout=layout, **options)
    x = _arrays.array("x", x, next(iter(pairs))[0].dtype)
    _block_shapes.conv_shapes(parts, x.shape, layout=layout)
    return x.astype(float), [(w.astype(float), None if b is None else b.astype(float)) for w, b in pairs]
