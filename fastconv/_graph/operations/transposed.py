"""The transposed convolution: what a convolution's gradient with respect to its input is."""

from math import prod
from typing import Literal

import numpy as np

from fastconv._checks import activations
from fastconv._checks.transposed_shapes import TransposedGeometry
from fastconv._checks.types import Accuracy, Activation, Layout, Shape
from fastconv._graph import in_numpy
from fastconv._graph.operations.operation import NHWC, Doubles, Operation


class ConvTranspose(Operation):
    """activation(y + bias), where each pixel of x at p adds its products with the kernel to y from p · stride on.

    `weight` is (R, S, C / groups, K).
    """

    activation: Activation = None
    kind = "conv_transpose2d"
    keeps_channels = False
    gives: Literal["same", "maps", "vectors"] = "maps"

    def __init__(
        self,
        geometry: TransposedGeometry,
        weight: np.ndarray,
        bias: np.ndarray | None = None,
        activation: Activation = None,
        accuracy: Accuracy = "normwise",
    ) -> None:
        self.geometry, self.weight, self.bias = geometry, weight, bias
        self.activation, self.accuracy = activation, accuracy

    def __str__(self) -> str:
        return f"{self.kind}({self.geometry})"

    @property
    def params(self) -> int:
        return self.weight.size + (0 if self.bias is None else self.bias.size)

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [self.geometry.channels], self.geometry.weight[3]

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        return self.geometry.at(shapes[0])

    def macs(self, layout: Layout, *shapes: Shape) -> int:
        r, s, _, k = self.geometry.weight
        self.geometry.at(shapes[0])
        return prod(shapes[0]) * r * s * k // self.geometry.groups

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        x, found = in_numpy.nhwc(arrays[0], layout), self.geometry
        r, s, c, k = found.weight
        (top, bottom), (left, right) = found.padding
        n, height, width, _ = found.at(arrays[0].shape)
        whole = np.zeros((n, height + top + bottom, width + left + right, k))
        weight, each = self.weight.astype(float), k // found.groups
        with np.errstate(over="ignore", invalid="ignore"):  # Inf and NaN are answers here
            for i, j in np.ndindex(r, s):
                starts = i * found.dilation[0], j * found.dilation[1]
                rows, columns = (
                    slice(start, start + (size - 1) * step + 1, step)
                    for start, size, step in zip(starts, x.shape[1:3], found.stride, strict=True)
                )
                for g in range(found.groups):
                    outputs = slice(g * each, (g + 1) * each)
                    whole[:, rows, columns, outputs] += x[..., g * c : (g + 1) * c] @ weight[i, j, :, outputs]
            y = whole[:, top : top + height, left : left + width]
            y = y if self.bias is None else y + self.bias
        return in_numpy.from_nhwc(activations.clip(y, self.activation), arrays[0].ndim, layout)

    def in_nhwc(self) -> "ConvTranspose":
        return self.changed(geometry=self.geometry._replace(layout="NHWC"))


def hwio(weight: np.ndarray, geometry: TransposedGeometry) -> np.ndarray:
    """(R, S, C / groups, K) of a weight in its layout, (R, S, K / groups, C) or (C, K / groups, R, S)."""
    r, s, c, k = geometry.weight
    rsic = weight if geometry.layout == "NHWC" else weight.transpose(2, 3, 1, 0)
    grouped = rsic.reshape(r, s, k // geometry.groups, geometry.groups, c)
    return np.ascontiguousarray(grouped.transpose(0, 1, 4, 3, 2)).reshape(r, s, c, k)
