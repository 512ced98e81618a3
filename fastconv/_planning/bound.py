"""What runs for one shape of x, and what it tells of itself: a convolution, a pooling, a sum."""

from typing import Literal

import numpy as np

from fastconv import _algorithms, _cpu, _threads
from fastconv._bound import Bound
from fastconv._cut import Runner
from fastconv._elementwise import Elementwise
from fastconv._graph.operations import NHWC, Conv
from fastconv._planning.description import Description
from fastconv._pool import Pool
from fastconv._pool_shapes import PoolShape
from fastconv._shapes import ConvShape
from fastconv._typing import Layout


class BoundStep(Bound):
    """What runs on NHWC arrays that are known to be right; `name` says how, `out_shape` is NHWC in any layout."""

    __slots__ = ("name", "out_shape")

    def __init__(self, name: str, out_shape: NHWC, num_threads: int | None, useful: int) -> None:
        super().__init__(num_threads, useful)
        self.name, self.out_shape = name, out_shape

    @property
    def layout(self) -> Layout:
        """Of the arrays."""
        return "NHWC"

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return 0

    @property
    def packed_bytes(self) -> int:
        """What is kept beside the plan's own copy of the weights."""
        return 0

    def multiplications(self, runner: Runner) -> int:
        """Those that a runner really does."""
        return 0

    def describe(self) -> Description:
        """The `Description` of a run."""
        runner = self.runner
        return Description(
            algorithm=self.name,
            tile=runner.tile or "",
            isa=_cpu.active(),
            threads=runner.threads,
            macs=self.macs,
            multiplications=self.multiplications(runner),
            packed_bytes=self.packed_bytes,
            workspace_bytes=runner.memory,
            layout_conversion="none",
        )


class BoundConv(BoundStep):
    """A convolution, on arrays in the layout of its algorithm."""

    __slots__ = ("_operation", "_packed", "algorithm", "shape")

    def __init__(
        self,
        operation: Conv,
        shape: ConvShape,
        algorithm: _algorithms.Algorithm,
        packed: _algorithms.Packed,
        num_threads: int | None,
    ) -> None:
        useful = _threads.useful(shape.batch * algorithm.cost(shape))
        super().__init__(algorithm.name, shape.out_shape, num_threads, useful)
        self.shape, self.algorithm, self._operation, self._packed = shape, algorithm, operation, packed

    @property
    def layout(self) -> Layout:
        return self.algorithm.layout

    @property
    def packed_bytes(self) -> int:
        weight = self._operation.weight  # which some algorithms keep as it is
        return sum(kept.nbytes for kept in self._packed if isinstance(kept, np.ndarray) and kept is not weight)

    @property
    def macs(self) -> int:
        return self.shape.macs

    def multiplications(self, runner: Runner) -> int:
        return self.algorithm.multiplications(self.shape, runner)

    def _bind(self, threads: int) -> Runner:
        return self.algorithm.bind(self.shape, self._packed, self._operation.activation)


class BoundPool(BoundStep):
    """A pooling; `combine` is "max" or "avg"."""

    __slots__ = ("_arguments",)

    def __init__(
        self, name: str, shape: PoolShape, combine: Literal["max", "avg"], itemsize: int, num_threads: int | None
    ) -> None:
        super().__init__(name, shape.out_shape, num_threads, _threads.useful_to_move(shape.values_read))
        self._arguments = shape, combine, itemsize

    def _bind(self, threads: int) -> Runner:
        return Pool(*self._arguments)


class BoundElementwise(BoundStep):
    """A sum of x and the residual, or a copy of x, and a ReLU after it."""

    __slots__ = ("_arguments",)

    def __init__(self, name: str, shape: NHWC, relu: bool, itemsize: int, num_threads: int | None) -> None:
        batch, height, width, channels = shape
        super().__init__(name, shape, num_threads, _threads.useful_to_move(batch * height * width * channels))
        self._arguments = shape, relu, itemsize

    def _bind(self, threads: int) -> Runner:
        return Elementwise(*self._arguments)
