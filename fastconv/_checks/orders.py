"""The orders of axes in either layout, and what an error says of arrays that would fit in another one."""

from collections.abc import Callable
from math import prod

from fastconv._checks.types import Layout, Shape, Size

LAYOUTS: tuple[Layout, ...] = ("NHWC", "NCHW")
ORDERS = {"NHWC": "HWIO", "NCHW": "OIHW"}  # of the axes of a weight
AXES = {"NHWC": "HWIO (R, S, C / groups, K)", "NCHW": "OIHW (K, C / groups, R, S)"}
MATRIX_AXES = {"NHWC": "(C, K)", "NCHW": "(K, C)"}  # of a 1×1 weight without its two axes of size 1
_OTHER: dict[Layout, Layout] = {"NHWC": "NCHW", "NCHW": "NHWC"}
_FROM_OTHER = {"NHWC": (2, 3, 1, 0), "NCHW": (3, 2, 0, 1)}  # transposes a weight in the other layout's order


def order(weight: Shape, layout: Layout) -> str:
    """What the axes of a weight of this shape are called: those of a kernel, or of a pointwise convolution's matrix."""
    return (ORDERS if len(weight) == 4 else MATRIX_AXES)[layout]


def weight_channels(weight: Shape, layout: Layout) -> tuple[int, int]:
    """(C / groups, K) of the shape of a weight, a kernel or a matrix."""
    return (weight[-2], weight[-1]) if layout == "NHWC" else (weight[1], weight[0])


def fits_in_other(x_channels: int | None, weight: Shape, groups: int, layout: Layout) -> bool:
    """Whether a weight in the other layout's order takes `x_channels`; None stands for any."""
    c, k = weight_channels(weight, _OTHER[layout])
    return k % groups == 0 and x_channels in (None, c * groups)


def kernel_size(weight: Shape, layout: Layout) -> Size:
    """(R, S) of the shape of a weight, a kernel or a matrix."""
    if len(weight) == 2:
        return 1, 1
    return (weight[0], weight[1]) if layout == "NHWC" else (weight[2], weight[3])


def weight_hint(
    weight: Shape,
    groups: int,
    layout: Layout,
    x_channels: int | None = None,
    takes: Callable[[Size], bool] = lambda kernel: True,
) -> str:
    """How to turn a weight to an order that takes `x_channels`, if they are known, in `groups`, or "".

    `takes` says whether its kernel, (R, S), may then be of this size.
    """
    is_depthwise = groups > 1 and groups == weight[2] > weight[3] and takes((weight[0], weight[1]))
    if is_depthwise and x_channels in (None, groups):
        turned = f"reshape{(*weight[:2], 1, prod(weight[2:]))}"
        turned += f".transpose{_FROM_OTHER[layout]}" if layout == "NCHW" else ""
        return f"this weight fits as TensorFlow's depthwise: give weight.{turned}"
    other = _OTHER[layout]
    (c, k), (r, s) = weight_channels(weight, other), kernel_size(weight, other)
    # An image's 3 channels are no 3×3 kernel's, and those of a 1×1 no kernel of one input and one output.
    likely = prod(weight) < (c * k) ** 2 or (c == 1 and (k > 1 or r == s))
    if len(weight) == 4 and likely and takes((r, s)) and fits_in_other(x_channels, weight, groups, layout):
        return f"this weight fits as {ORDERS[other]}: give weight.transpose{_FROM_OTHER[layout]}"
    if groups == 1 and weight_channels(weight, layout)[1] == x_channels and takes(kernel_size(weight, layout)):
        turned = "T" if len(weight) == 2 else f"swapaxes{(2, 3) if layout == 'NHWC' else (0, 1)}"
        return f"this weight fits with its input and output channels exchanged: give weight.{turned}"
    return ""


def mismatch(
    x_shape: Shape,
    weight: Shape,
    groups: int,
    layout: Layout,
    covers: Callable[[Size, Size], bool] = lambda size, kernel: True,
) -> ValueError:
    """The error of an x that has other channels than a weight takes, and all that would make them fit.

    `covers` says whether a map of a size, (H, W), has room for a kernel of a size.
    """
    c, _ = weight_channels(weight, layout)
    kernel, other = kernel_size(weight, layout), _OTHER[layout]
    first, second, last = x_shape[-3:]
    if layout == "NHWC":
        size, has, turned, moved = (first, second), last, (second, last, first), "-3, -1"
        size_in_other, has_in_other = (second, last), first
    else:
        size, has, turned, moved = (second, last), first, (last, first, second), "-1, -3"
        size_in_other, has_in_other = (first, second), last
    hints = [weight_hint(weight, groups, layout, has, lambda kernel: covers(size, kernel))]
    if c * groups == has_in_other and covers(size_in_other, kernel):
        hints.append(f"this x fits as {other}, {(*x_shape[:-3], *turned)} in {layout}: give np.moveaxis(x, {moved})")
    if fits_in_other(has_in_other, weight, groups, layout) and covers(size_in_other, kernel_size(weight, other)):
        hints.append(f'they fit layout="{other}"')
    each = f" in each of {groups} groups" if groups > 1 else ""
    told = (
        f"weight of shape {tuple(weight)} takes {c} channels{each}, "
        f"but x of shape {tuple(x_shape)} has {has} channels in layout {layout}, "
        f"where weights are {order(weight, layout)}"
    )
    return ValueError("; ".join([told, "; or ".join(filter(None, hints))]) if any(hints) else told)
