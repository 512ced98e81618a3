"""The functions and blocks in NumPy float64: slow, written to be read beside the formulas, the oracle of the tests.

Arguments are those of the fast functions and blocks, and so are the errors; the result is float64. Indices in the
formulas: n image; p, q row and column of the output; r, s of the kernel; c input channel; k output channel. x is 0
outside of its map. `f(v)` is max(v, 0), which keeps a NaN, for activation "relu", and v for None.

A block takes each of its parts as a pair (weight, bias), in which bias may be None. In the formulas of the blocks
`conv(x, part)` is the convolution with that part's weight and bias.
"""

import functools

import numpy as np

from fastconv import _arrays, _block_shapes, _shapes


def conv2d(
    x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1, activation=None, residual=None, layout="NHWC"
):
    """y[n,p,q,k] = f(Σ_{r,s,c} x[n, p·stride + r·dilation − top, q·stride + s·dilation − left, c] · weight[r,s,c,k]
    + bias[k] + residual[n,p,q,k]). With groups, c runs over the channels of k's group.

    Parameters
    ----------
    x, weight, bias, stride, padding, dilation, groups, activation, residual, layout
        As in `fastconv.conv2d`.

    Returns
    -------
    ndarray of float64, shape (N, P, Q, K) or (P, Q, K); (N, K, P, Q) or (K, P, Q) in layout NCHW

    Raises
    ------
    TypeError, ValueError
        Naming the argument.

    Notes
    -----
    The padding takes part in the sum: 0 · Inf there is NaN.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(3, 3, 1)
    >>> conv2d(x, np.ones((3, 3, 1, 1)), padding=1)[..., 0]
    array([[ 8., 15., 12.],
           [21., 36., 27.],
           [20., 33., 24.]])
    """
    weight = _arrays.array("weight", weight)
    x = _arrays.array("x", x, weight.dtype)
    shape = _shapes.conv_shape(
        x.shape, weight.shape, stride=stride, padding=padding, dilation=dilation, groups=groups, layout=layout
    )
    _shapes.one_of("activation", activation, _shapes.ACTIVATIONS)
    nhwc = shape.batch, shape.out_height, shape.out_width, shape.out_channels
    y_shape = _arrays.result_shape(nhwc, x.ndim, layout)
    if bias is not None:
        bias = _arrays.array("bias", bias, weight.dtype, nhwc[3:])
    if residual is not None:
        residual = _arrays.array("residual", residual, weight.dtype, y_shape)

    hwio = weight.astype(float) if layout == "NHWC" else weight.astype(float).transpose(2, 3, 1, 0)
    y = np.zeros(nhwc)
    with np.errstate(over="ignore", invalid="ignore"):  # Inf and NaN are answers here
        for r, s, tap in _taps(_padded(x, shape, layout), shape, shape.dilation):
            for c, k in _groups(shape):
                y[..., k] += tap[..., c] @ hwio[r, s, :, k]
        if bias is not None:
            y += bias
        if residual is not None:
            y += _nhwc(residual, layout)
    return _from_nhwc(np.maximum(y, 0) if activation == "relu" else y, x.ndim, layout)


def pointwise(x, weight, bias=None, *, stride=1, activation=None, residual=None, layout="NHWC"):
    """y[n,p,q,k] = f(Σ_c x[n, p·stride, q·stride, c] · weight[c,k] + bias[k] + residual[n,p,q,k]).

    Arguments as in `fastconv.pointwise`; weight has shape (K, C) in layout NCHW.

    Examples
    --------
    >>> pointwise(np.ones((1, 1, 3)), np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 1.0]]))
    array([[[6., 1.]]])
    """
    weight = _arrays.as_kernel(weight, layout)
    return conv2d(x, weight, bias, stride=stride, activation=activation, residual=residual, layout=layout)


def max_pool2d(x, kernel, *, stride=None, padding=0, layout="NHWC"):
    """y[n,p,q,c] = max_{r,s} x[n, p·stride + r − top, q·stride + s − left, c] over the pixels that x has.

    Arguments as in `fastconv.max_pool2d`. The maximum of a window with a NaN is NaN.

    Examples
    --------
    >>> max_pool2d(np.arange(-9.0, 0).reshape(3, 3, 1), 2, padding=1)[..., 0]
    array([[-9., -7.],
           [-3., -1.]])
    """
    return _pooled(np.maximum, -np.inf, x, kernel, stride, padding, layout)


def avg_pool2d(x, kernel, *, stride=None, padding=0, layout="NHWC"):
    """y[n,p,q,c] = Σ_{r,s} x[n, p·stride + r − top, q·stride + s − left, c] / (R·S), the padding counted as zeros.

    Arguments as in `fastconv.avg_pool2d`.

    Examples
    --------
    >>> avg_pool2d(np.arange(16.0).reshape(4, 4, 1), 2)[..., 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    total = _pooled(np.add, 0.0, x, kernel, stride, padding, layout)
    return total / np.prod(_shapes.pair("kernel", kernel, 1))


def global_avg_pool2d(x, *, layout="NHWC"):
    """y[n,0,0,c] = Σ_{p,q} x[n,p,q,c] / (H·W).

    Arguments as in `fastconv.global_avg_pool2d`.

    Examples
    --------
    >>> global_avg_pool2d(np.arange(8.0).reshape(2, 2, 2))
    array([[[3., 4.]]])
    """
    x = _arrays.array("x", x)
    return avg_pool2d(x, _shapes.image_size(x.shape, layout), layout=layout)


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
    pairs = {"conv": conv} | {f"cccp{i}": pair for i, pair in enumerate(cccp, 1)}
    x, (conv, *cccp) = _checked(_block_shapes.mlpconv, x, pairs, layout, stride=stride, padding=padding)
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
    pairs = {"reduce": reduce, "conv": conv}
    x, (reduce, conv) = _checked(_block_shapes.reduced, x, pairs, layout, stride=stride, padding=padding)
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
    pairs = {"reduce": reduce, "conv": conv, "expand": expand}
    if shortcut is not None:
        pairs["shortcut"] = shortcut
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
    pairs = {"squeeze": squeeze, "expand1x1": expand1x1, "expand3x3": expand3x3}
    x, (squeeze, expand1x1, expand3x3) = _checked(_block_shapes.fire, x, pairs, layout)
    conv = functools.partial(conv2d, activation=activation, layout=layout)
    s = conv(x, *squeeze)
    return np.concatenate([conv(s, *expand1x1), conv(s, *expand3x3, padding=1)], _channel_axis(layout))


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
    pairs = {
        "branch1x1": branch1x1,
        "reduce3x3": reduce3x3,
        "branch3x3": branch3x3,
        "reduce5x5": reduce5x5,
        "branch5x5": branch5x5,
        "pool_proj": pool_proj,
    }
    x, pairs = _checked(_block_shapes.inception, x, pairs, layout)
    branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj = pairs
    conv = functools.partial(conv2d, activation=activation, layout=layout)
    branches = [
        conv(x, *branch1x1),
        conv(conv(x, *reduce3x3), *branch3x3, padding=1),
        conv(conv(x, *reduce5x5), *branch5x5, padding=2),
        conv(max_pool2d(x, 3, stride=1, padding=1, layout=layout), *pool_proj),
    ]
    return np.concatenate(branches, _channel_axis(layout))


def _taps(x, shape, dilation=(1, 1)):
    """(r, s, the pixels of x, padded, that this tap of the kernel meets, one for each output)."""
    for r, s in np.ndindex(*shape.kernel):
        starts = r * dilation[0], s * dilation[1]
        ends = starts[0] + (shape.out_height - 1) * shape.stride[0], starts[1] + (shape.out_width - 1) * shape.stride[1]
        rows, columns = (slice(a, b + 1, step) for a, b, step in zip(starts, ends, shape.stride, strict=True))
        yield r, s, x[:, rows, columns]


def _groups(shape):
    """(channels read, channels written) of each group, as slices."""
    c, k = shape.in_channels // shape.groups, shape.out_channels // shape.groups
    return [(slice(g * c, (g + 1) * c), slice(g * k, (g + 1) * k)) for g in range(shape.groups)]


def _pooled(combine, fill, x, kernel, stride, padding, layout):
    """`combine` over the taps of a pooling window, `fill` on the padding."""
    x = _arrays.array("x", x)
    shape = _shapes.pool_shape(x.shape, kernel, stride=stride, padding=padding, layout=layout)
    with np.errstate(over="ignore", invalid="ignore"):
        y = functools.reduce(combine, (tap for _, _, tap in _taps(_padded(x, shape, layout, fill), shape)))
    return _from_nhwc(y, x.ndim, layout)


def _checked(chain, x, pairs, layout, **options):
    """x and the pairs of a block in float64, checked as the block checks them."""
    _shapes.one_of("layout", layout, _shapes.LAYOUTS)
    pairs = _block_shapes.arrays(pairs, layout).values()
    parts = chain(*(weight.shape for weight, _ in pairs), layout=layout, **options)
    x = _arrays.array("x", x, next(iter(pairs))[0].dtype)
    _block_shapes.conv_shapes(parts, x.shape, layout=layout)
    return x.astype(float), [(w.astype(float), None if b is None else b.astype(float)) for w, b in pairs]


def _channel_axis(layout):
    return -1 if layout == "NHWC" else -3


def _nhwc(x, layout):
    """x in float64, with a batch axis and the channels last."""
    x = np.moveaxis(x.astype(float), _channel_axis(layout), -1)
    return x if x.ndim == 4 else x[None]


def _padded(x, shape, layout, fill=0.0):
    return np.pad(_nhwc(x, layout), ((0, 0), *shape.padding, (0, 0)), constant_values=fill)


def _from_nhwc(y, ndim, layout):
    """y in `layout` and with `ndim` axes, contiguous."""
    return np.ascontiguousarray(np.moveaxis(y if ndim == 4 else y[0], -1, _channel_axis(layout)))
