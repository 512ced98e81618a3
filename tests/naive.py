"""Convolution and pooling as explicit loops over every index, and the small whole numbers that they are tried on."""

import numpy as np


def whole(shape, seed=0):
    """Whole numbers from -4 to 4, in float64."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(float)


def pairwise(value):
    return value if isinstance(value, tuple) else (value, value)


def nchw(array):
    return np.ascontiguousarray(np.moveaxis(array, -1, -3))


def oihw(weight):
    return np.ascontiguousarray(weight.transpose(3, 2, 0, 1))


def conv(x, weight, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    """x (N, H, W, C), weight (R, S, C / groups, K)."""
    (batch, height, width, _), (kernel_h, kernel_w, group_c, channels) = x.shape, weight.shape
    (top, bottom), (left, right) = padding
    out_height = (height + top + bottom - (kernel_h - 1) * dilation[0] - 1) // stride[0] + 1
    out_width = (width + left + right - (kernel_w - 1) * dilation[1] - 1) // stride[1] + 1
    y = np.zeros((batch, out_height, out_width, channels))
    for n, p, q, k in np.ndindex(y.shape):
        group = k // (channels // groups)
        for r, s, c in np.ndindex(kernel_h, kernel_w, group_c):
            i, j = p * stride[0] + r * dilation[0] - top, q * stride[1] + s * dilation[1] - left
            inside = 0 <= i < height and 0 <= j < width
            y[n, p, q, k] += (x[n, i, j, group * group_c + c] if inside else 0.0) * weight[r, s, c, k]
    return y


def windows(size, kernel, stride, padding, ceil_mode):
    """How many there are along an axis."""
    begin, end = padding[0], size + padding[1]
    starts = range(-begin, size, stride)
    if ceil_mode:  # up to the first that reaches the end
        return 1 + sum(start + kernel < end for start in starts[:-1])
    return sum(start + kernel <= end for start in starts)


def pool(x, kernel, stride, padding, combine, fill, ceil_mode=False):
    """`combine` of the list of values in each window; `fill` of None leaves the padding out."""
    (batch, height, width, channels), ((top, bottom), (left, right)) = x.shape, padding
    out_height, out_width = map(windows, (height, width), kernel, stride, padding, (ceil_mode, ceil_mode))
    y = np.zeros((batch, out_height, out_width, channels))
    for n, p, q, c in np.ndindex(y.shape):
        window = []
        for r, s in np.ndindex(*kernel):
            i, j = p * stride[0] + r - top, q * stride[1] + s - left
            if 0 <= i < height and 0 <= j < width:
                window.append(x[n, i, j, c])
            elif fill is not None and i < height + bottom and j < width + right:
                window.append(fill)
        y[n, p, q, c] = combine(window)
    return y
