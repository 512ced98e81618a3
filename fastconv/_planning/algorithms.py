"""The algorithms: what each can do, what it costs, how its weights are packed and what runs it."""

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks.arguments import LARGEST
from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Accuracy, AlgorithmName, Applied, Layout
from fastconv._kernels import cpu
from fastconv._planning import teams
from fastconv._runners import direct, fip, fip_weights, nchw, pack, split_rows, transforms, winograd
from fastconv._runners.partition import LoopNest
from fastconv._runners.transforms import Transform
from fastconv._runners.winograd import Winograd
from fastconv._runners.winograd_on_the_fly import WEIGHT_COST, WinogradOnTheFly

if TYPE_CHECKING:
    from fastconv._runners.blas import Blas

# So many multiply-adds a transformed weight takes to come in where there are no more than these, and one of direct,
# which is prefetched; vectors of 16 lanes wait longer. Inside a network, where no cache has them, they take longer yet.
_WIDE = winograd.LANES >= 16
_WEIGHT_COSTS = ((5e5, 2.5), (2e6, 8), (np.inf, 11)) if _WIDE else ((1.5e6, 2.5), (np.inf, 8))
_DIRECT_WEIGHT_COST = 6 if _WIDE else 0
_UNFILLED_COST = 300  # of a point, where the channels do not fill a vector and are loaded one by one
_MIN_FIP_GAIN = 1.05  # the same of fast inner products
_MIN_GAIN = 1.1  # what Winograd must save: it needs more memory, and other machines differ

Packed = tuple[Any, ...]


class Algorithm:
    """A way to compute convolutions of arrays in its layout."""

    name: AlgorithmName
    layout: Layout = "NHWC"
    accuracy: Accuracy = "componentwise"  # which bound of the error it promises; docs/promises.md has both
    tile: int = 1  # the side of the squares of outputs whose bits depend on where each begins and whether it is whole

    def supports(self, shape: ConvShape) -> bool:
        """Whether it can do this shape."""
        return self.unsupported(shape) is None

    def unsupported(self, shape: ConvShape) -> str | None:
        """Why it cannot do this shape; None where it can."""
        return None

    def cost(self, shape: ConvShape) -> float:
        """What an image is expected to take, in multiply-accumulates of the direct convolution.

        The least is taken, and the team follows it.
        """
        raise NotImplementedError

    def multiplications(self, shape: ConvShape, runner: Any) -> int:
        """Those really done."""
        return shape.macs

    def additions(self, shape: ConvShape) -> int | None:
        """Those of inputs and weights before they are multiplied; None where they are not counted."""
        return None

    def pack(self, weight: np.ndarray, bias: np.ndarray | None, groups: int, num_threads: int | None) -> Packed:
        """What a plan keeps of weights HWIO."""
        raise NotImplementedError

    def bind(self, shape: ConvShape, packed: Packed, activation: Applied) -> LoopNest:
        """A runner for this shape with what `pack` gave."""
        raise NotImplementedError


def _columns(shape: ConvShape) -> int:
    """Output channels as whole vectors, those of small groups, which share vectors, as they are."""
    lanes = winograd.LANES if shape.groups == 1 else 1
    return -(-shape.out_channels // lanes) * lanes


def _direct_cost(shape: ConvShape) -> int:
    """Multiply-accumulates of an image in the direct convolution, those of lanes that only fill vectors counted."""
    columns, width, lanes = _columns(shape), shape.out_width, winograd.LANES
    group_out = shape.out_channels // shape.groups
    if split_rows.is_for_split_rows(shape, group_out, 4):  # the lanes are pixels; fewer sums would not hide the latency
        sums = max(group_out, lanes // 4, 12 // (width // lanes)) + lanes // (8 if group_out < lanes else 4)
        columns, width = min((columns, width), (shape.groups * sums, -(-width // lanes) * lanes), key=prod)
    return shape.out_height * width * columns * shape.terms


class _Direct(Algorithm):
    name = "direct"

    def cost(self, shape: ConvShape) -> float:
        return _direct_cost(shape)

    def multiplications(self, shape: ConvShape, runner: Any) -> int:
        return int(runner.multiplications)

    def pack(self, weight: np.ndarray, bias: np.ndarray | None, groups: int, num_threads: int | None) -> Packed:
        return pack.direct(weight, bias, groups, teams.moving_team(num_threads, weight.size))

    def bind(self, shape: ConvShape, packed: Packed, activation: Applied) -> LoopNest:
        weights, bias, all_finite = packed
        return direct.Direct(shape.merged, weights, bias, all_finite, activation)


class _PointwiseNCHW(_Direct):
    layout = "NCHW"

    def unsupported(self, shape: ConvShape) -> str | None:
        pointwise = shape.kernel == (1, 1) and shape.padding == ((0, 0), (0, 0))
        return None if pointwise else "in layout NCHW is for 1×1 convolutions without padding"

    def multiplications(self, shape: ConvShape, runner: Any) -> int:
        return shape.macs

    def pack(self, weight: np.ndarray, bias: np.ndarray | None, groups: int, num_threads: int | None) -> Packed:
        return nchw.pack(weight, bias, groups)

    def bind(self, shape: ConvShape, packed: Packed, activation: Applied) -> LoopNest:
        weights, bias = packed
        return nchw.Pointwise(shape, weights, bias, activation)


class _Blas(Algorithm):
    name = "blas"

    def unsupported(self, shape: ConvShape) -> str | None:
        if not shape.is_pointwise:
            return "is for 1×1 convolutions without padding or groups"
        near = shape.stride[1] * shape.in_channels <= LARGEST
        return None if near else "is for 1×1 convolutions that read pixels less than 2**31 values apart"

    def cost(self, shape: ConvShape) -> float:
        return 2 * _direct_cost(shape)  # at least, wherever it was measured

    def pack(self, weight: np.ndarray, bias: np.ndarray | None, groups: int, num_threads: int | None) -> Packed:
        self._runner()  # now, since a later import in one thread could be interrupted halfway by a fork in another
        return weight.reshape(weight.shape[2:]).copy(), None if bias is None else bias.copy()

    def bind(self, shape: ConvShape, packed: Packed, activation: Applied) -> LoopNest:
        weights, bias = packed
        return self._runner()(shape, weights, bias, activation)

    def _runner(self) -> "type[Blas]":
        from fastconv._runners.blas import Blas  # imports scipy, which a user of the other algorithms need not load

        return Blas


class _Winograd(Algorithm):
    name = "winograd"
    accuracy = "normwise"
    runner: type[Winograd] = Winograd

    def __init__(self, transform: Transform) -> None:
        self.transform, self.tile = transform, transform.outputs

    def unsupported(self, shape: ConvShape) -> str | None:
        if shape.kernel not in ((3, 3), (5, 5)) or shape.stride != (1, 1) or shape.dilation != (1, 1):
            return "is for 3×3 and 5×5 convolutions of stride and dilation 1"
        return None if shape.kernel[0] == self.transform.kernel else f"{self.transform} is for another kernel"

    def __str__(self) -> str:
        return str(self.transform)

    def cost(self, shape: ConvShape) -> float:
        """Fitted to benchmarks/winograd_grid.py: it expects most of its ratios to within a tenth.

        The weights pass through once for each image; what direct's take is not in its cost, and comes off here.
        """
        products = shape.in_channels // shape.groups * _columns(shape)
        weights = self.transform.points**2 * products
        weight = next(cost for most, cost in _WEIGHT_COSTS if weights <= most)
        taken_off = _DIRECT_WEIGHT_COST * self.transform.kernel**2 * products
        return _MIN_GAIN * (self._cost_of_tiles(shape) + weight * weights) - taken_off

    def _cost_of_tiles(self, shape: ConvShape) -> float:
        """At every point a tile takes its products, and beside them the transforms of its patch and its sums."""
        group_in, columns = shape.in_channels // shape.groups, _columns(shape)
        point = group_in * columns + winograd.INPUT_COST * shape.in_channels + winograd.OUTPUT_COST * columns
        if group_in < winograd.LANES:
            point += _UNFILLED_COST * shape.groups
        return self.transform.products(shape) * point

    def multiplications(self, shape: ConvShape, runner: Any) -> int:
        products = shape.in_channels // shape.groups * shape.out_channels
        return shape.batch * self.transform.products(shape) * products

    def pack(self, weight: np.ndarray, bias: np.ndarray | None, groups: int, num_threads: int | None) -> Packed:
        team = teams.moving_team(num_threads, weight.size)
        return pack.winograd(weight, bias, groups, self.transform, team)

    def bind(self, shape: ConvShape, packed: Packed, activation: Applied) -> LoopNest:
        weights, bias, direct_weights, all_finite, max_squares = packed
        return self.runner(shape, weights, bias, direct_weights, all_finite, max_squares, activation, self.transform)


class _WinogradOnTheFly(_Winograd):
    runner = WinogradOnTheFly

    def __str__(self) -> str:
        return f"{self.transform} on the fly"

    def cost(self, shape: ConvShape) -> float:
        """As in `_Winograd`, but that weights come in as direct's do, and each pixel block has its own transformed."""
        group_in = shape.in_channels // shape.groups
        weights = self.transform.points**2 * group_in * _columns(shape)
        blocks = -(-prod(self.transform.tiles(shape)) // winograd.max_block_tiles(self.transform, group_in, 4, True))
        return _MIN_GAIN * (self._cost_of_tiles(shape) + WEIGHT_COST * weights * blocks)

    def pack(self, weight: np.ndarray, bias: np.ndarray | None, groups: int, num_threads: int | None) -> Packed:
        team = teams.moving_team(num_threads, weight.size)
        return pack.winograd_on_the_fly(weight, bias, groups, self.transform, team)


class _Fip(Algorithm):
    name = "fip"
    accuracy = "normwise"

    def unsupported(self, shape: ConvShape) -> str | None:
        pointwise = shape.kernel == (1, 1) and shape.padding == ((0, 0), (0, 0))
        return None if pointwise else "is for 1×1 convolutions without padding"

    def cost(self, shape: ConvShape) -> float:
        """More than direct's where the processor has no adders to spare, or there is too little to gain."""
        group_in, group_out = shape.in_channels // shape.groups, shape.out_channels // shape.groups
        pixels = shape.out_height * shape.out_width
        if not cpu.takes_fip() or min(group_in, group_out) < fip.MIN_CHANNELS or pixels < fip.MIN_PIXELS:
            return 1.5 * _direct_cost(shape)
        columns = -(-group_out // fip.COLUMNS) * fip.COLUMNS
        products = 1.5 * sum(fip_weights.steps(group_in)) * columns / fip.GAIN
        ends = fip.INPUT_COST * group_in + fip.OUTPUT_COST * group_out
        return _MIN_FIP_GAIN * pixels * shape.groups * (products + ends)

    def multiplications(self, shape: ConvShape, runner: Any) -> int:
        return self._outputs(shape) * sum(self._steps(shape))

    def additions(self, shape: ConvShape) -> int:
        return self._outputs(shape) * 2 * self._steps(shape)[0]

    def _outputs(self, shape: ConvShape) -> int:
        return shape.macs // shape.terms

    def _steps(self, shape: ConvShape) -> tuple[int, int]:
        return fip_weights.steps(shape.terms)

    def pack(self, weight: np.ndarray, bias: np.ndarray | None, groups: int, num_threads: int | None) -> Packed:
        return fip_weights.pack(weight, bias, groups)

    def bind(self, shape: ConvShape, packed: Packed, activation: Applied) -> LoopNest:
        weights, weight_sums, column_scales, bias, equalizers, unpacked, in_range = packed
        scales = column_scales, bias, equalizers
        return fip.Fip(shape.merged, weights, weight_sums, *scales, unpacked, in_range, activation)


ALGORITHMS: tuple[Algorithm, ...] = (
    _PointwiseNCHW(),
    _Direct(),
    _Winograd(transforms.F4X3),
    _WinogradOnTheFly(transforms.F4X3),
    _Winograd(transforms.F2X3),
    _Winograd(transforms.F2X5),
    _Fip(),
    _Blas(),
)
