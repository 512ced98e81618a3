"""The convolution and its epilogue, what is done to each value before it is stored."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from fastconv._checks import activations, orders
from fastconv._checks.arrays import result_shape
from fastconv._checks.shapes import ConvGeometry, image_shape
from fastconv._checks.types import Accuracy, Activation, AlgorithmName, Layout, Shape, Size
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.operation import NHWC, Doubles, Operation


class Conv(Operation):
    """A convolution: activation(conv(x, weight) + bias + residual), where the residual is a second input.

    With `slopes`, a value for each output channel, it is prelu(conv(x, weight) + bias): there is neither of both then.
    The `functions` are of each value of that, one after the other.

    The arrays are None where only shapes are asked for. `only_kernel` is the one size that a kernel may have there.
    """

    activation: Activation = None
    slopes: Doubles | None = None
    functions: tuple[Elementwise, ...] = ()
    kind = "conv2d"
    keeps_channels = False
    gives: Literal["same", "maps", "vectors"] = "maps"

    def __init__(
        self,
        geometry: ConvGeometry,
        has_bias: bool,
        activation: Activation = None,
        algorithm: AlgorithmName = "auto",
        weight: np.ndarray | None = None,  # HWIO
        bias: np.ndarray | None = None,
        only_kernel: int | None = None,
        accuracy: Accuracy = "normwise",
    ) -> None:
        self.geometry, self.has_bias, self.activation, self.algorithm = geometry, has_bias, activation, algorithm
        self.weight, self.bias, self.only_kernel, self.accuracy = weight, bias, only_kernel, accuracy

    @property
    def whole_kind(self) -> str:
        return " + ".join([self.kind, *(function.kind for function in self.functions)])

    @property
    def params(self) -> int:
        r, s, c, k = self.geometry.weight
        own = k * (r * s * c + self.has_bias + (self.slopes is not None))
        return own + sum(function.params for function in self.functions)

    @property
    def weights(self) -> dict[str, Shape]:
        return {"weight": self.given} | ({"bias": self.geometry.weight[3:]} if self.has_bias else {})

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        _, _, c, k = self.geometry.weight
        return [c * self.geometry.groups, k], k

    def channels_error(self, name: str, source: str, given: int, wanted: int) -> ValueError:
        _, _, c, k = self.geometry.weight
        weight, groups, layout = self.given, self.geometry.groups, self.geometry.layout
        if wanted != c * groups:
            return ValueError(f"{name} of shape {weight} gives {k} channels, but its residual {source} has {given}")
        hint = orders.weight_hint(weight, groups, layout, given, self.may_have)
        return ValueError(
            f"{name} of shape {weight} takes {wanted} channels in layout {layout}, but {source} has {given}"
            + f"; {hint}" * bool(hint)
        )

    @property
    def given(self) -> Shape:
        """The shape of the weight as it was given."""
        return self.geometry.given

    def may_have(self, kernel: Size) -> bool:
        """Whether its kernel may be of this size, (R, S)."""
        return self.only_kernel is None or kernel == (self.only_kernel, self.only_kernel)

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        x_shape, *residuals = shapes
        shape = self.geometry.at(x_shape).out_shape
        for residual in residuals:
            if residual != (wanted := result_shape(shape, len(residual), layout)):
                raise ValueError(f"residual must have shape {wanted}, got {residual}")
        return shape

    def macs(self, layout: Layout, *shapes: Shape) -> int:
        return self.geometry.at(shapes[0]).macs

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        from fastconv._graph import in_numpy  # which most programs do without

        x, *residuals = arrays
        (weight, bias), shape = self.arrays, self.geometry.at(x.shape)
        weight, y = weight.astype(float), np.zeros(shape.out_shape)
        c, k = weight.shape[2], weight.shape[3] // shape.groups
        with np.errstate(over="ignore", invalid="ignore"):  # Inf and NaN are answers here
            for r, s, tap in in_numpy.taps(x, shape, layout, shape.dilation):
                for g in range(shape.groups):
                    y[..., g * k : (g + 1) * k] += tap[..., g * c : (g + 1) * c] @ weight[r, s, :, g * k : (g + 1) * k]
            if bias is not None:
                y += bias
            for residual in residuals:
                y += in_numpy.nhwc(residual, layout)
        if self.slopes is not None:
            y = np.where(y < 0, y * self.slopes, y)
        y = in_numpy.from_nhwc(activations.clip(y, self.activation), x.ndim, layout)
        for function in self.functions:
            y = function.reference(layout, y)
        return y

    def with_weights(self, arrays: dict[str, np.ndarray]) -> "Conv":
        weight = arrays["weight"].reshape(self.geometry.given)
        hwio = weight if self.geometry.layout == "NHWC" else weight.transpose(2, 3, 1, 0)
        return self.changed(weight=hwio, bias=arrays.get("bias"))

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray | None]:
        """(weight, bias)."""
        if self.weight is None:
            raise RuntimeError("this graph has shapes alone")
        return self.weight, self.bias

    @property
    def exact(self) -> tuple[np.ndarray, np.ndarray | None]:
        """`arrays` as far as they are not rounded."""
        return self.arrays

    def in_nhwc(self) -> "Conv":
        return self.changed(geometry=self.geometry._replace(layout="NHWC"))


class Derived(Conv):
    """A convolution whose weight `make(dtype)` makes of others' whenever it is asked for, which is when it is packed:
    no copy is kept. It and the bias are rounded to `dtype`.
    """

    def __init__(
        self, like: Conv, make: Callable[[np.dtype], np.ndarray], bias: np.ndarray, dtype: np.dtype, **changes: Any
    ) -> None:
        taken = {name: value for name, value in vars(like).items() if name not in ("weight", "bias")}
        vars(self).update(taken, kind=like.kind, has_bias=True, **changes)
        self._make, self._bias, self._dtype = make, bias, dtype

    @property
    def exact(self) -> tuple[np.ndarray, np.ndarray | None]:
        return self._make(np.dtype(float)), self._bias

    @property
    def weight(self) -> np.ndarray:  # type: ignore[override]
        return self._make(self._dtype)

    @property
    def bias(self) -> np.ndarray:  # type: ignore[override]
        return self._bias.astype(self._dtype, copy=False)


class Linear(Conv):
    """A product with a matrix, (C, K) or in layout NCHW (K, C), of each vector, or of each pixel of a map."""

    kind = "linear"
    gives = "same"

    @property
    def given(self) -> Shape:
        _, _, c, k = self.geometry.weight
        return (c, k) if self.geometry.layout == "NHWC" else (k, c)

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        channels, wanted = image_shape(shapes[0], layout)[3], self.geometry.weight[2]
        if channels != wanted:
            raise self.channels_error("weight", "x", channels, wanted)
        return super().shape(layout, *shapes)
