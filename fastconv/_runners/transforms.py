"""Winograd's transforms, from their points (Lavin and Gray 2015; Toom and Cook).

The m values of a correlation of n = m + r − 1 inputs d with r weights w are y = Aᵀ [(G w) ⊙ (Bᵀ d)], n products. With
the points p₀ … pₙ₋₂ and ∞, N(t) = Π (t − pⱼ) and Nᵢ(t) = N(t) / (t − pᵢ):

    row i of Bᵀ: the coefficients of Nᵢ;   row i of G: pᵢᵏ / Nᵢ(pᵢ), k < r;   column i of Aᵀ: pᵢᵏ, k < m
    for ∞:       the coefficients of N;    0 … 0 1;                          0 … 0 1

In two dimensions the same is done along both axes. The points 0, ±a, ±b, …, ∞ let rows share their halves.

Where fewer than m values are wanted, fewer points do: without a point q, G and Bᵀ have Nᵢ(t) / (t − q) in the place of
Nᵢ, so that the same transformed weights serve, with row i of Bᵀ scaled by pᵢ − q. `Transform.short` leaves out the last
pair, for the edge of a map whose last tile has m − 2 lines or fewer.

The points are sixteenths: all that is summed here is exact in float64, and what is divided is rounded once.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fastconv._checks.shapes import ConvShape


class Transform:
    """F(m×m, r×r) with the points 0, ±nodes, ∞: m outputs of a kernel of r."""

    def __init__(self, outputs: int, kernel: int, nodes: tuple[float, ...], left_out: tuple[float, ...] = ()) -> None:
        self.outputs, self.kernel, self.nodes, self._left_out = outputs, kernel, nodes, left_out
        if outputs + kernel - 1 != self.points:
            raise ValueError(f"{self} needs {self.outputs + self.kernel - 1} points")

    def __str__(self) -> str:
        return f"F({self.outputs}×{self.outputs}, {self.kernel}×{self.kernel})"

    @property
    def points(self) -> int:
        """Points of an axis, ∞ among them: products for the `outputs` values of a line."""
        return 2 * len(self.nodes) + 2

    @cached_property
    def short(self) -> "Transform | None":
        """The transform without the last pair of points, for m − 2 outputs of an axis; None where there is none."""
        if self.outputs <= 2:
            return None
        return Transform(self.outputs - 2, self.kernel, self.nodes[:-1], left_out=self.nodes[-1:])

    def tiles(self, shape: "ConvShape") -> tuple[int, int]:
        """Rows and columns of tiles on an output map."""
        return -(-shape.out_height // self.outputs), -(-shape.out_width // self.outputs)

    def ends_short(self, shape: "ConvShape") -> tuple[bool, bool]:
        """Whether the last row, and the last column, of tiles has so few lines that `short` does."""
        rows, columns = shape.out_height % self.outputs, shape.out_width % self.outputs
        return 0 < rows <= self.outputs - 2, 0 < columns <= self.outputs - 2

    def products(self, shape: "ConvShape") -> int:
        """Points of all tiles of an image: what it takes in products of an input with an output channel."""
        rows, cols = (
            tiles * self.points - 2 * short
            for tiles, short in zip(self.tiles(shape), self.ends_short(shape), strict=True)
        )
        return rows * cols

    @cached_property
    def matrices(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(Aᵀ, G, Bᵀ) in float64."""
        finite = [0.0, *(sign * node for node in self.nodes for sign in (1, -1))]
        others = [[q for q in finite if q != p] for p in finite]
        input_rows = [[*_product(rest), 0] for rest in others] + [_product(finite)]
        weight_rows = [
            [p**k / _value(_product(rest), p) for k in range(self.kernel)]
            for p, rest in zip(finite, others, strict=True)
        ]
        weight_rows.append([*[0] * (self.kernel - 1), 1])
        output_rows = [[*(p**k for p in finite), int(k == self.outputs - 1)] for k in range(self.outputs)]
        return np.array(output_rows, float), np.array(weight_rows, float), np.array(input_rows, float)

    @cached_property
    def constants(self) -> tuple[list[list[float]], list[list[float]], list[float], list[float]]:
        """(powers, pairs, ends, scales) of the factored form in csrc/winograd_axis.h, in float64: coefficients of t²
        without the last 1, and what the rows of Bᵀ for 0 and for each pair are scaled by, to go with the transformed
        weights of the full transform.
        """
        squares = [node**2 for node in self.nodes]
        powers = [[node**k for node in self.nodes] for k in range(self.outputs)]
        pairs = [_product(q for q in squares if q != square)[:-1] for square in squares]
        left_out = _product(node**2 for node in self._left_out)
        return powers, pairs, _product(squares)[:-1], [_value(left_out, square) for square in [0.0, *squares]]

    @property
    def weight_rows(self) -> tuple[np.ndarray, ...]:
        """The rows of G for 0 and for each node, as csrc/winograd_weights.h takes them."""
        _, g, _ = self.matrices
        return g[0], *g[1:-1:2]

    @cached_property
    def gain(self) -> float:
        """A bound of every value on the way, of the transforms or of a direct sum, over max |x| · Σ |w|.

        At a point U is at most max |G|² · Σ |w|; the absolute row sums of Bᵀ and Aᵀ come to it once for each axis.
        """
        a, g, b = map(np.abs, self.matrices)
        return float(a.sum(1).max() * max(g.max(), 1) * b.sum(1).max()) ** 2


def _product(roots: Iterable[float]) -> list[float]:
    """Coefficients of Π (t − root), the lowest first."""
    coefficients = [1.0]
    for root in roots:
        shifted = [0.0, *coefficients]
        coefficients = [high - root * low for high, low in zip(shifted, [*coefficients, 0.0], strict=True)]
    return coefficients


def _value(coefficients: Iterable[float], t: float) -> float:
    return sum(c * t**k for k, c in enumerate(coefficients))


_SIX_POINTS = 11 / 16, 23 / 16
F2X3 = Transform(2, 3, (1.0,))
F4X3 = Transform(4, 3, _SIX_POINTS)
F2X5 = Transform(2, 5, _SIX_POINTS)
