"""The blocks that the 1×1 convolution made possible, each with the names of its paper."""

from fastconv._checks.types import Accuracy, Activation, AlgorithmName, Layout, Padding, Pair, StrideIn, WeightAndBias
from fastconv._graph.blocks import of_arrays
from fastconv._planning.graph_plan import GraphPlan


class MLPConv(GraphPlan):
    """A k×k convolution followed by 1×1s, a ReLU after each.

    Parameters
    ----------
    conv, *cccp : (weight, bias)
        Weights HWIO in layout NHWC, OIHW in NCHW; a bias may be None. The `cccp` ("cascaded cross-channel parametric
        pooling") are 1×1. The same in every block.
    stride, padding
        Of `conv`, as in `Conv2d`.
    activation
        As in `Conv2d`, after every convolution; None makes the block linear.
    layout, accuracy, num_threads
        As in `Conv2d`.
    algorithm : "auto", "direct", "winograd", "fip" or "blas"
        Of every convolution that it suits, as in `Conv2d`; the others are "auto".

    Raises
    ------
    TypeError, ValueError
        Naming the part whose shape does not fit, before any work. The same in every block.

    References
    ----------
    Lin, Chen and Yan, "Network in Network", arXiv:1312.4400, section 3.1.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> rng = np.random.default_rng(0)
    >>> conv, cccp = (rng.standard_normal(shape, np.float32) for shape in [(5, 5, 3, 32), (1, 1, 32, 16)])
    >>> fastconv.MLPConv((conv, None), (cccp, None), padding=2)(np.ones((32, 32, 3), np.float32)).shape
    (32, 32, 16)
    """

    def __init__(
        self,
        conv: WeightAndBias,
        *cccp: WeightAndBias,
        stride: Pair = 1,
        padding: Padding = 0,
        activation: Activation = "relu",
        layout: Layout = "NHWC",
        algorithm: AlgorithmName = "auto",
        accuracy: Accuracy = "normwise",
        num_threads: int | None = None,
    ) -> None:
        graph = of_arrays("mlpconv", (conv, *cccp), layout, activation, stride=stride, padding=padding)
        super().__init__(graph, num_threads, algorithm, accuracy)


class Reduced(GraphPlan):
    """A 1×1 that reduces the channels before a k×k convolution, a ReLU after each.

    Parameters
    ----------
    reduce, conv : (weight, bias)
    stride, padding
        Of `conv`, as in `Conv2d`.
    activation, layout, algorithm, accuracy, num_threads
        As in `MLPConv`, which also says what the pairs are.

    References
    ----------
    Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, section 4.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> rng = np.random.default_rng(0)
    >>> reduce, conv = (rng.standard_normal(shape, np.float32) for shape in [(1, 1, 192, 16), (5, 5, 16, 32)])
    >>> block = fastconv.Reduced((reduce, None), (conv, None), padding=2)
    >>> block.cost((28, 28, 192)).macs
    12443648
    """

    def __init__(
        self,
        reduce: WeightAndBias,
        conv: WeightAndBias,
        stride: Pair = 1,
        padding: Padding = 0,
        *,
        activation: Activation = "relu",
        layout: Layout = "NHWC",
        algorithm: AlgorithmName = "auto",
        accuracy: Accuracy = "normwise",
        num_threads: int | None = None,
    ) -> None:
        graph = of_arrays("reduced", (reduce, conv), layout, activation, stride=stride, padding=padding)
        super().__init__(graph, num_threads, algorithm, accuracy)


class Bottleneck(GraphPlan):
    """1×1, k×k, 1×1 and a shortcut around them: y = ReLU(expand(conv(reduce(x))) + shortcut(x)).

    A ReLU follows `reduce`, `conv` and the sum.

    Parameters
    ----------
    reduce, conv, expand : (weight, bias)
        `conv` has an odd kernel and is padded by half of it.
    shortcut : (weight, bias), optional
        A 1×1 projection; None adds x itself.
    stride : int or (int, int), default 1
    stride_in : "conv" or "reduce"
        Where the stride is: "conv" as ResNet v1.5 has it, "reduce" as the paper's v1.
    activation, layout, algorithm, accuracy, num_threads
        As in `MLPConv`, which also says what the pairs are.

    References
    ----------
    He et al., "Deep residual learning for image recognition", arXiv:1512.03385, figure 5.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> rng = np.random.default_rng(0)
    >>> shapes = [(1, 1, 256, 64), (3, 3, 64, 64), (1, 1, 64, 256)]
    >>> block = fastconv.Bottleneck(*[(rng.standard_normal(shape, np.float32), None) for shape in shapes])
    >>> block(np.ones((1, 7, 7, 256), np.float32)).shape
    (1, 7, 7, 256)
    """

    def __init__(
        self,
        reduce: WeightAndBias,
        conv: WeightAndBias,
        expand: WeightAndBias,
        shortcut: WeightAndBias | None = None,
        stride: Pair = 1,
        *,
        stride_in: StrideIn = "conv",
        activation: Activation = "relu",
        layout: Layout = "NHWC",
        algorithm: AlgorithmName = "auto",
        accuracy: Accuracy = "normwise",
        num_threads: int | None = None,
    ) -> None:
        pairs = (reduce, conv, expand) if shortcut is None else (reduce, conv, expand, shortcut)
        graph = of_arrays("bottleneck", pairs, layout, activation, stride=stride, stride_in=stride_in)
        super().__init__(graph, num_threads, algorithm, accuracy)


class Fire(GraphPlan):
    """A 1×1 squeeze, then a 1×1 and a 3×3 expansion side by side, a ReLU after each.

    Parameters
    ----------
    squeeze, expand1x1, expand3x3 : (weight, bias)
        The 3×3 is padded by 1; the result has the channels of `expand1x1`, then those of `expand3x3`.
    activation, layout, algorithm, accuracy, num_threads
        As in `MLPConv`, which also says what the pairs are.

    References
    ----------
    Iandola et al., "SqueezeNet", arXiv:1602.07360, section 3.2.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> rng = np.random.default_rng(0)
    >>> shapes = [(1, 1, 96, 16), (1, 1, 16, 64), (3, 3, 16, 64)]
    >>> block = fastconv.Fire(*[(rng.standard_normal(shape, np.float32), None) for shape in shapes])
    >>> block(np.ones((55, 55, 96), np.float32)).shape
    (55, 55, 128)
    """

    def __init__(
        self,
        squeeze: WeightAndBias,
        expand1x1: WeightAndBias,
        expand3x3: WeightAndBias,
        *,
        activation: Activation = "relu",
        layout: Layout = "NHWC",
        algorithm: AlgorithmName = "auto",
        accuracy: Accuracy = "normwise",
        num_threads: int | None = None,
    ) -> None:
        graph = of_arrays("fire", (squeeze, expand1x1, expand3x3), layout, activation)
        super().__init__(graph, num_threads, algorithm, accuracy)


class Inception(GraphPlan):
    """Four branches side by side: 1×1; 1×1, 3×3; 1×1, 5×5; 3×3 max pool, 1×1; a ReLU after each convolution.

    Parameters
    ----------
    branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj : (weight, bias)
        All keep height and width; the result has the channels of the branches in this order.
    activation, layout, algorithm, accuracy, num_threads
        As in `MLPConv`, which also says what the pairs are.

    References
    ----------
    Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, figure 2(b).

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> rng = np.random.default_rng(0)
    >>> shapes = [(1, 1, 192, 64), (1, 1, 192, 96), (3, 3, 96, 128), (1, 1, 192, 16), (5, 5, 16, 32), (1, 1, 192, 32)]
    >>> block = fastconv.Inception(*[(rng.standard_normal(shape, np.float32), None) for shape in shapes])
    >>> block(np.ones((28, 28, 192), np.float32)).shape
    (28, 28, 256)
    """

    def __init__(
        self,
        branch1x1: WeightAndBias,
        reduce3x3: WeightAndBias,
        branch3x3: WeightAndBias,
        reduce5x5: WeightAndBias,
        branch5x5: WeightAndBias,
        pool_proj: WeightAndBias,
        *,
        activation: Activation = "relu",
        layout: Layout = "NHWC",
        algorithm: AlgorithmName = "auto",
        accuracy: Accuracy = "normwise",
        num_threads: int | None = None,
    ) -> None:
        pairs = (branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj)
        graph = of_arrays("inception", pairs, layout, activation)
        super().__init__(graph, num_threads, algorithm, accuracy)
