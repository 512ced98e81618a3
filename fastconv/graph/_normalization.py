"""Normalisations, and the softmax."""

from typing import Any, Literal

from fastconv._checks import arguments
from fastconv._checks.types import Array, ImageAxis
from fastconv._graph.graph import Node
from fastconv._graph.operations.normalization import (
    IMAGE_AXES,
    BatchNorm,
    ChannelPool,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    Scale,
    Softmax,
)
from fastconv.graph._making import Making


def _not_negative(name: str, value: object) -> float:
    found = arguments.number(name, value)
    if found < 0:
        raise ValueError(f"{name} must be at least 0, got {value}")
    return found


def _centred(name: str, vectors: dict[str, Any], epsilon: object) -> dict[str, Any]:
    """The arguments of a normalisation by means and variances, in float64."""
    with arguments.named(name):
        found = _not_negative("epsilon", epsilon)
    return {argument: vector.astype(float) for argument, vector in vectors.items()} | {"epsilon": found}


class Normalization(Making):
    """Normalisations of channels by constants, and of pixels by their channels."""

    def batch_norm(
        self,
        x: Node,
        mean: Array[Any],
        variance: Array[Any],
        weight: Array[Any] | None = None,
        bias: Array[Any] | None = None,
        *,
        epsilon: float = 1e-5,
        name: str | None = None,
    ) -> Node:
        """Normalise each channel by its statistics: weight · (x − mean) / √(variance + epsilon) + bias.

        A convolution before it, or one without padding after it, takes it into its weights where nothing is between.
        Elsewhere it runs as x · scale + shift. Either is computed in float64 and rounded once. So the error is some
        units in the last place of |x · scale| + |shift|.

        Parameters
        ----------
        x : node
        mean, variance, weight, bias : ndarray, shape (C,)
            Of the dtype of the graph's weights; they are copied. No weight is 1, no bias 0.
        epsilon : float
            At least 0; 1e-5 is the default of PyTorch and ONNX, 1e-3 that of Keras.
        name : str, optional

        References
        ----------
        Ioffe and Szegedy, "Batch normalization", arXiv:1502.03167, algorithm 2.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> y = g.batch_norm(g.x, mean=np.array([1.0, 0.0]), variance=np.array([4.0, 1.0]), epsilon=0)
        >>> g.plan(y)(np.array([[[5.0, 5.0]]]))
        array([[[2., 5.]]])
        """
        needed = {"mean": mean, "variance": variance}
        with self._vectors(name or "batch_norm", needed, weight=weight, bias=bias) as vectors:
            with arguments.named(name or "batch_norm"):
                epsilon = _not_negative("epsilon", epsilon)
                if (least := vectors["variance"].min()) < 0:
                    raise ValueError(f"variance must be at least 0, got {least}")
            return self._add(name, BatchNorm(**vectors, epsilon=epsilon), x=x)

    def scale(self, x: Node, scale: Array[Any], shift: Array[Any] | None = None, *, name: str | None = None) -> Node:
        """Multiply each channel by scale[c] and add shift[c], of shape (C,) and the dtype of the graph's weights.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.scale(g.x, np.array([10.0, 100.0]), np.array([1.0, 2.0])))(np.ones((1, 1, 2)))
        array([[[ 11., 102.]]])
        """
        with self._vectors(name or "scale", {"scale": scale}, shift=shift) as vectors:
            return self._add(name, Scale(**vectors), x=x)

    def local_response_norm(
        self,
        x: Node,
        size: int = 5,
        *,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 1.0,
        name: str | None = None,
    ) -> Node:
        """Divide each value by (k + alpha / size · Σ x²)^beta, the sum over `size` channels around its own.

        Channels beyond the first and last count as 0. Of an even size one channel more lies before, as in PyTorch, ncnn
        and MNN; ONNX's text has it after, Caffe and ONNX Runtime refuse even sizes. TensorFlow's alpha is alpha / size.

        Parameters
        ----------
        x : node
        size : int
            At least 1.
        alpha, beta, k : float
            The defaults are GoogLeNet's; AlexNet has k = 2 and, in this form, alpha = 5e-4. Powers for 0.75 are square
            roots, others take some forty times as long.
        name : str, optional

        References
        ----------
        Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", section 3.3, whose alpha
        is alpha / size.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> y = g.local_response_norm(g.x, 3, alpha=3.0, beta=0.5)
        >>> g.plan(y)(np.array([[[2.0, 2.0, 4.0]]])).round(3)
        array([[[0.667, 0.4  , 0.873]]])
        """
        with arguments.named(name or "local_response_norm"):
            size = arguments.integer("size", size, 1)
            given = {"alpha": alpha, "beta": beta, "k": k}
            numbers = {argument: arguments.number(argument, value) for argument, value in given.items()}
        return self._add(name, LocalResponseNorm(size, **numbers), x=x)

    def softmax(self, x: Node, *, axis: ImageAxis = "channels", name: str | None = None) -> Node:
        """Take exp(x) / Σ exp(x), the sum over the channels of each pixel, or along the height or width of each.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.softmax(g.x))(np.log([[[1.0, 3.0]]]))
        array([[[0.25, 0.75]]])
        >>> g.plan(g.softmax(g.x, axis="width"))(np.log([[[1.0], [3.0]]]))
        array([[[0.25],
                [0.75]]])
        """
        with arguments.named(name or "softmax"):
            axis = arguments.one_of("axis", axis, IMAGE_AXES)
        return self._add(name, Softmax(axis), x=x)

    def log_softmax(self, x: Node, *, axis: ImageAxis = "channels", name: str | None = None) -> Node:
        """Take the logarithm of `softmax`, x - log Σ exp(x), which is right relatively next to 0 too.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.log_softmax(g.x))(np.array([[[0.0, 50.0]]]))
        array([[[-5.00000000e+01, -1.92874985e-22]]])
        """
        with arguments.named(name or "log_softmax"):
            axis = arguments.one_of("axis", axis, IMAGE_AXES)
        return self._add(name, Softmax(axis, is_log=True), x=x)

    def layer_norm(
        self, x: Node, weight: Array[Any], bias: Array[Any], epsilon: float = 1e-5, *, name: str | None = None
    ) -> Node:
        """Take weight[c] · (x − m) / √(v + epsilon) + bias[c], with mean m and variance v of a pixel's channels.

        Ba et al., arXiv:1607.06450, as ConvNeXt has it; weight and bias have shape (C,). All but the last product and
        sum is computed in float64.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.layer_norm(g.x, np.ones(2), np.zeros(2), 0.0))(np.array([[[1.0, 3.0]]]))
        array([[[-1.,  1.]]])
        """
        with self._vectors(name or "layer_norm", {"weight": weight, "bias": bias}) as vectors:
            return self._add(name, LayerNorm(**_centred(name or "layer_norm", vectors, epsilon)), x=x)

    def instance_norm(
        self, x: Node, weight: Array[Any], bias: Array[Any], epsilon: float = 1e-5, *, name: str | None = None
    ) -> Node:
        """Take weight[c] · (x − m) / √(v + epsilon) + bias[c], with mean m and variance v of a channel's pixels.

        Ulyanov et al., arXiv:1607.08022; weight and bias have shape (C,). All is computed in float64 and rounded once.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.instance_norm(g.x, np.ones(1), np.zeros(1), 0.0))(np.array([[[1.0], [3.0]]])).ravel()
        array([-1.,  1.])
        """
        with self._vectors(name or "instance_norm", {"weight": weight, "bias": bias}) as vectors:
            return self._add(name, InstanceNorm(**_centred(name or "instance_norm", vectors, epsilon)), x=x)

    def group_norm(
        self,
        x: Node,
        groups: int,
        weight: Array[Any],
        bias: Array[Any],
        epsilon: float = 1e-5,
        *,
        name: str | None = None,
    ) -> Node:
        """Take weight[c] · (x − m) / √(v + epsilon) + bias[c], with mean m and variance v of the channel's group.

        Wu and He, arXiv:1803.08494; groups of as many channels each, side by side, and weight and bias of shape (C,).
        All is computed in float64 and rounded once.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.group_norm(g.x, 1, np.ones(2), np.zeros(2), 0.0))(np.array([[[1.0, 3.0]]]))
        array([[[-1.,  1.]]])
        """
        with self._vectors(name or "group_norm", {"weight": weight, "bias": bias}) as vectors:
            channels = vectors["weight"].size
            with arguments.named(name or "group_norm"):
                if channels % arguments.integer("groups", groups, 1):
                    raise ValueError(f"groups must divide the {channels} channels, got {groups}")
            return self._add(name, GroupNorm(groups, **_centred(name or "group_norm", vectors, epsilon)), x=x)

    def channel_pool(self, x: Node, combine: Literal["max", "sum", "mean"], *, name: str | None = None) -> Node:
        """Take the maximum, sum or mean of the channels of each pixel, as one channel.

        Woo et al., "CBAM", arXiv:1807.06521, section 3.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.channel_pool(g.x, "mean"))(np.array([[[1.0, 3.0]]]))
        array([[[2.]]])
        """
        with arguments.named(name or "channel_pool"):
            arguments.one_of("combine", combine, ("max", "sum", "mean"))
        return self._add(name, ChannelPool(combine), x=x)
