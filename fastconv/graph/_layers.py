"""The operations that a network calls its layers: convolutions and pools."""

from typing import Any, Literal

from fastconv._checks import arguments, pool_shapes
from fastconv._checks.types import Activation, AlgorithmName, Array, Padding, Pair
from fastconv._graph.graph import Node
from fastconv._graph.operations.pools import Pool
from fastconv.conv import Conv2d
from fastconv.graph._making import Making


class Layers(Making):
    """Convolutions and pools."""

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
        name: str | None = None,
    ) -> Node:
        """Convolve x: activation(conv(x, weight) + bias + residual).

        Parameters
        ----------
        x, residual : node
        weight, bias, stride, padding, dilation, groups, activation, algorithm
            As in `Conv2d`; the arrays are copied.
        name : str, optional
            Of the node, in errors and `describe`; the default is that of the operation, numbered. The same in every
            method.
        """
        with arguments.named(name or "conv2d"):
            plan = Conv2d(
                weight,
                bias,
                stride=stride,
                padding=padding,
                dilation=dilation,
                groups=groups,
                activation=activation,
                layout=self.layout,
                algorithm=algorithm,
            )
        inputs = {"x": x} if residual is None else {"x": x, "residual": residual}
        with self._builder.undone_where_it_fails():
            self._builder.take_dtype(name or "conv2d", plan.dtype)
            return self._add(name, plan._operation, **inputs)

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
        """Take the maximum of each channel over windows; the arguments are those of `fastconv.max_pool2d`."""
        return self._pool("max", x, name, kernel=kernel, stride=stride, padding=padding, ceil_mode=ceil_mode)

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
        """Average each channel over windows; the arguments are those of `fastconv.avg_pool2d`."""
        options: dict[str, Any] = {"ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
        return self._pool("avg", x, name, kernel=kernel, stride=stride, padding=padding, **options)

    def global_max_pool2d(self, x: Node, *, name: str | None = None) -> Node:
        """Take the maximum of each channel over the whole map, to one pixel."""
        return self._add(name, Pool("max"), x=x)

    def global_avg_pool2d(self, x: Node, *, name: str | None = None) -> Node:
        """Average each channel over the whole map, to one pixel."""
        return self._add(name, Pool("avg"), x=x)

    def _pool(self, combine: Literal["max", "avg"], x: Node, name: str | None, **options: Any) -> Node:
        with arguments.named(name or f"{combine}_pool2d"):
            geometry = pool_shapes.pool_geometry(**options, layout=self.layout)
        return self._add(name, Pool(combine, geometry), x=x)
