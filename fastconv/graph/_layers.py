"""The operations that a network calls its layers: convolutions, products with matrices and pools."""

from typing import Any, Literal

from fastconv._checks import activations, arguments, arrays, pool_shapes, shapes
from fastconv._checks.transposed_shapes import transposed_geometry
from fastconv._checks.types import Accuracy, Activation, AlgorithmName, Array, Padding, Pair, Sides
from fastconv._graph.graph import Node
from fastconv._graph.operations.conv import Linear
from fastconv._graph.operations.pools import Pool
from fastconv._graph.operations.transposed import ConvTranspose, hwio
from fastconv._planning import choosing
from fastconv.conv import declared
from fastconv.graph._making import Making


class Layers(Making):
    """Convolutions, products with matrices and pools."""

    def conv2d(
        self,
        x: Node,
        weight: Array[Any],
        bias: Array[Any] | None = None,
        *,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        groups: int = 1,
        activation: Activation = None,
        residual: Node | None = None,
        algorithm: AlgorithmName = "auto",
        accuracy: Accuracy = "normwise",
        name: str | None = None,
    ) -> Node:
        """Convolve x: activation(conv(x, weight) + bias + residual).

        Parameters
        ----------
        x, residual : node
        weight, bias, stride, padding, dilation, groups, activation, algorithm, accuracy
            As in `Conv2d`; the arrays are copied.
        name : str, optional
            Of the node, in errors and `describe`; the default is that of the operation, numbered. The same in every
            method.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.conv2d(g.x, np.ones((1, 1, 2, 1)), np.array([0.5])))(np.array([[[-2.0, 3.0]]]))
        array([[[1.5]]])
        """
        with arguments.named(name or "conv2d"):
            geometry = stride, padding, dilation, groups, self.layout
            conv = declared(weight, bias, geometry, activation, algorithm, accuracy)
        inputs = {"x": x} if residual is None else {"x": x, "residual": residual}
        with self._builder.undone_where_it_fails():
            self._builder.take_dtype(name or "conv2d", conv.arrays[0].dtype)
            return self._add(name, conv, **inputs)

    def conv_transpose2d(
        self,
        x: Node,
        weight: Array[Any],
        bias: Array[Any] | None = None,
        *,
        stride: Pair = 1,
        padding: Pair | Sides = 0,
        output_padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        activation: Activation = None,
        accuracy: Accuracy = "normwise",
        name: str | None = None,
    ) -> Node:
        """Convolve x, transposed: each pixel adds its products with the kernel to the result, a stride further each.

        The result has (H − 1) · stride + (R − 1) · dilation + 1 + output_padding rows, less those of `padding`.

        Parameters
        ----------
        x : node
        weight : ndarray of shape (R, S, K / groups, C), in layout NCHW (C, K / groups, R, S)
            As TensorFlow and PyTorch have it: K channels of the result, C of x.
        bias, dilation, groups, activation, accuracy
            As in `Conv2d`; the arrays are copied.
        stride : int or (int, int)
            Of at most 1024 pixels, height times width: a convolution is made of each.
        padding : int, (int, int) or ((top, bottom), (left, right))
            Rows and columns that are left out at the sides of the result.
        output_padding : int or (int, int)
            Rows and columns that are added at its end, before any are left out.

        Notes
        -----
        Weights that are not finite give NaN at the edge of the result, also where no pixel of x meets them: the sums
        there take in zeros beside x.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> y = g.conv_transpose2d(g.x, np.arange(1.0, 5.0).reshape(2, 2, 1, 1), stride=2)
        >>> g.plan(y)(np.array([[[1.0], [10.0]]]))[..., 0]
        array([[ 1.,  2., 10., 20.],
               [ 3.,  4., 30., 40.]])
        """
        with arguments.named(name or "conv_transpose2d"):
            weight = arrays.array("weight", weight)
            shape = weight.shape
            geometry = transposed_geometry(shape, stride, padding, output_padding, dilation, groups, self.layout)
            activation = activations.checked(activation)
            _, accuracy = choosing.checked("auto", accuracy)
            vector = None if bias is None else arrays.array("bias", bias, weight.dtype).copy()
            if vector is not None and vector.shape != geometry.weight[3:]:
                raise ValueError(f"bias must have shape {geometry.weight[3:]}, got {vector.shape}")
        operation = ConvTranspose(geometry, hwio(weight.copy(), geometry), vector, activation, accuracy)
        with self._builder.undone_where_it_fails():
            self._builder.take_dtype(name or "conv_transpose2d", weight.dtype)
            return self._add(name, operation, x=x)

    def linear(
        self,
        x: Node,
        weight: Array[Any],
        bias: Array[Any] | None = None,
        *,
        activation: Activation = None,
        name: str | None = None,
    ) -> Node:
        """Multiply vectors by a matrix, a fully connected layer: activation(x @ weight + bias).

        Parameters
        ----------
        x : node
            Of vectors, which `flatten` gives, or of a map, each of whose pixels is one.
        weight : ndarray of shape (C, K); (K, C) in layout NCHW
        bias, activation
            As in `Conv2d`; the arrays are copied.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> plan = g.plan(g.linear(g.flatten(g.x), np.eye(4, 2), np.array([0.0, 9.0])))
        >>> plan(np.arange(8.0).reshape(2, 2, 2, 1))
        array([[ 0., 10.],
               [ 4., 14.]])
        """
        name_or_kind = name or "linear"
        with arguments.named(name_or_kind):
            weight = arrays.array("weight", weight)
            kernel = weight.reshape(shapes.kernel_shape(weight.shape, self.layout))
            if bias is not None:
                arrays.bias(bias, weight, self.layout)  # whose errors speak of the matrix
            conv = declared(kernel, bias, (1, 0, 1, 1, self.layout), activation, "auto", "normwise")
        with self._builder.undone_where_it_fails():
            self._builder.take_dtype(name_or_kind, weight.dtype)
            return self._add(name, Linear(**vars(conv)), x=x)

    def max_pool2d(
        self,
        x: Node,
        kernel: Pair,
        *,
        stride: Pair | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        name: str | None = None,
    ) -> Node:
        """Take the maximum of each channel over windows; the arguments are those of `fastconv.max_pool2d`.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.max_pool2d(g.x, 2))(np.arange(4.0).reshape(2, 2, 1))
        array([[[3.]]])
        """
        return self._pool("max", x, name, kernel, stride, padding, ceil_mode)

    def avg_pool2d(
        self,
        x: Node,
        kernel: Pair,
        *,
        stride: Pair | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        name: str | None = None,
    ) -> Node:
        """Average each channel over windows; the arguments are those of `fastconv.avg_pool2d`.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.avg_pool2d(g.x, 2))(np.arange(4.0).reshape(2, 2, 1))
        array([[[1.5]]])
        """
        return self._pool("avg", x, name, kernel, stride, padding, ceil_mode, count_include_pad)

    def global_max_pool2d(self, x: Node, *, name: str | None = None) -> Node:
        """Take the maximum of each channel over the whole map, to one pixel.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.global_max_pool2d(g.x))(np.arange(4.0).reshape(2, 2, 1))
        array([[[3.]]])
        """
        return self._add(name, Pool("max"), x=x)

    def global_avg_pool2d(self, x: Node, *, name: str | None = None) -> Node:
        """Average each channel over the whole map, to one pixel.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.global_avg_pool2d(g.x))(np.arange(4.0).reshape(2, 2, 1))
        array([[[1.5]]])
        """
        return self._add(name, Pool("avg"), x=x)

    def _pool(self, combine: Literal["max", "avg"], x: Node, name: str | None, *geometry: Any) -> Node:
        with arguments.named(name or f"{combine}_pool2d"):
            geometry = pool_shapes.pool_geometry(*geometry, layout=self.layout)
        return self._add(name, Pool(combine, geometry), x=x)
