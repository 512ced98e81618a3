"""`Conv2d`, the plan of a convolution: validate, choose and pack once, then call many times."""

from typing import TYPE_CHECKING, Any

from fastconv._checks import activations, arrays, shapes
from fastconv._checks.types import Accuracy, Activation, AlgorithmName, Array, Float, Layout, Padding, Pair
from fastconv._graph.operations.conv import Conv
from fastconv._planning import choosing, teams
from fastconv._planning.conv_plan import ConvPlan

if TYPE_CHECKING:
    from fastconv._planning.profile import Profile

__all__ = ["Conv2d"]


class Conv2d(ConvPlan):
    """A convolution with fixed weights, packed once, at the latest in the first call, and ready for many calls.

    y = activation(conv(x, weight) + bias + residual)

    Parameters
    ----------
    weight : ndarray of float32 or float64
        (R, S, C / groups, K) in layout NHWC, (K, C / groups, R, S) in layout NCHW. A copy is kept: later changes of the
        array do not reach the plan.
    bias : ndarray of shape (K,), optional
    stride, dilation : int or (int, int), default 1
        For height and width.
    padding : int, (int, int), ((top, bottom), (left, right)), "same" or "valid", default 0
        Zeros around x; "same" follows TensorFlow: ceil(size / stride) outputs, the odd pixel at the end.
    groups : int, default 1
        Output channels of a group see the input channels of that group only.
    activation : None, "relu", "relu6" or (low, high), default None
        The result is clipped to these bounds, min(max(y, low), high): "relu" is (0, inf), "relu6" (0, 6). A NaN stays.
        `Graph` has other activations, as operations of their own.
    layout : "NHWC" or "NCHW"
    algorithm : "auto", "direct", "winograd", "fip" or "blas"
        "winograd" does fewer multiplications, for 3×3 and 5×5 convolutions of stride 1, and "fip", fast inner
        products, for 1×1 convolutions; "blas" is SciPy's matrix product, for these too. "auto" takes what is expected
        to be fastest for the shape, by the rule in `_planning/choosing.py`; "fip" only on processors with adders
        beside their multiply-add units.
    accuracy : "normwise" or "componentwise"
        The bound of the error that "auto" keeps to: a few eps times the norm of what an output sees times the norm of
        its weights; or, of the same values, eps times the sum of the products' sizes, Σ|x|·|w|, which "direct" and
        "blas" alone promise.
    num_threads : int, optional
        The largest team, at least 1; a number beyond 64 and the number of CPUs counts as the larger of these. Small
        work is done by fewer. The default is one thread for each physical CPU that the process may use.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, before any work.

    Notes
    -----
    The largest error, as a share of the output's root mean square, for 128 channels of ReLU'd normal x and normal
    weights times sqrt(2 / terms), is 1e-6 to 2e-6 with "direct" and 2e-6 to 4e-6 with "winograd" (1e-6 with its
    F(2×2, 3×3)), whose tiles are computed directly where x is not finite or a value on the way might overflow.

    The error of an output follows from what it sees itself, whatever lies beside it: it is a few eps times the norm of
    those values times the norm of the weights of its channel, at most 64 eps in all tests ("fip": 12 eps, of norms in
    which channels are weighed). Whole numbers, masks among them, whose sums stay below 2^24 (float64: 2^53) come out
    exact with "direct"; "winograd" and "fip", and so "auto", round them as any others, but give the bias exactly where
    an output sees zeros alone. accuracy="componentwise" is the way to keep to the others.

    Of a subclass of ndarray, such as a memmap, only the values count. Masked arrays are refused, and subclasses that
    define `__array_ufunc__` or `__array_function__`, as those with units do: give a plain array, `np.asarray(x)`.

    The result has the same bits for every number of threads and every batch size, but for the sign and payload of a
    NaN. A plan may be called from many threads at once and can be pickled.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> rng = np.random.default_rng(0)
    >>> plan = fastconv.Conv2d(rng.standard_normal((3, 3, 8, 16), np.float32), padding=1)
    >>> plan(rng.standard_normal((1, 28, 28, 8), np.float32)).shape
    (1, 28, 28, 16)
    >>> plan.cost((1, 28, 28, 8)).macs
    903168
    """

    def __init__(
        self,
        weight: Array[Float],
        bias: Array[Float] | None = None,
        *,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        groups: int = 1,
        activation: Activation = None,
        layout: Layout = "NHWC",
        algorithm: AlgorithmName = "auto",
        accuracy: Accuracy = "normwise",
        num_threads: int | None = None,
    ) -> None:
        conv = declared(weight, bias, (stride, padding, dilation, groups, layout), activation, algorithm, accuracy)
        super().__init__(conv, conv.arrays[0].dtype, teams.checked(num_threads))

    def profile(self, x: Array[Any]) -> "Profile":
        """Time calls as `Graph.profile` does, of a graph of this convolution alone, which runs in layout NHWC."""
        from fastconv._planning.graph_plan import GraphPlan  # which most programs do without

        return GraphPlan(self._graph, self._num_threads).profile(x)


def declared(weight: Any, bias: Any, geometry: tuple[Any, ...], activation: Any, algorithm: Any, accuracy: Any) -> Conv:
    """The convolution that a user gave, checked; `geometry` is (stride, padding, dilation, groups, layout)."""
    weight = arrays.array("weight", weight).copy()  # first of all: nothing that is checked can change any more
    shape = shapes.conv_geometry(weight.shape, *geometry)
    algorithm, accuracy = choosing.checked(algorithm, accuracy)
    if algorithm != "auto":
        choosing.usable(algorithm, shape, accuracy)
    hwio = weight if shape.layout == "NHWC" else weight.transpose(2, 3, 1, 0)
    activation, has_bias = activations.checked(activation), bias is not None
    bias = arrays.bias(bias, weight, shape.layout).copy() if has_bias else None
    return Conv(shape, has_bias, activation, algorithm, hwio, bias, accuracy=accuracy)
