"""A convolution as a step."""

from functools import partial
from math import prod

import numpy as np

from fastconv._checks import activations
from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Accuracy, Layout
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._planning import algorithms, teams
from fastconv._planning.steps.step import PreparedStep
from fastconv._runners.finish import Finish
from fastconv._runners.partition import LoopNest


class PreparedConv(PreparedStep):
    """A convolution, on arrays in the layout of its algorithm."""

    __slots__ = ("_operation", "accuracy", "algorithm", "layout", "packed", "shape")

    def __init__(
        self,
        operation: Conv,
        shape: ConvShape,
        algorithm: algorithms.Algorithm,
        packed: algorithms.Packed,
        num_threads: int | None,
    ) -> None:
        moved = len(operation.functions) * prod(shape.out_shape)
        useful = teams.useful(shape.batch * algorithm.cost(shape), moved)
        activation = *activations.bounds(operation.activation), operation.slopes
        make = partial(algorithm.bind, shape, packed, activation)
        super().__init__(algorithm.name, shape.out_shape, num_threads, useful, make)
        self.layout: Layout = algorithm.layout
        self.accuracy: Accuracy = algorithm.accuracy
        self.shape, self.algorithm, self._operation, self.packed = shape, algorithm, operation, packed

    def _bind(self, threads: int) -> LoopNest:
        runner = super()._bind(threads)
        if self._operation.functions:
            runner.finish_with(_finish(self._operation.functions, self.packed[0].dtype))
        return runner

    @property
    def packed_bytes(self) -> int:
        weight = self._operation.weight  # which some algorithms keep as it is
        return sum(kept.nbytes for kept in self.packed if isinstance(kept, np.ndarray) and kept is not weight)

    @property
    def macs(self) -> int:
        return self.shape.macs

    @property
    def additions(self) -> int | None:
        return self.algorithm.additions(self.shape)

    def multiplications(self, runner: LoopNest) -> int:
        return self.algorithm.multiplications(self.shape, runner)


def _finish(functions: tuple[Elementwise, ...], dtype: np.dtype) -> Finish:
    """What computes the functions."""
    told = []
    for f in functions:
        with np.errstate(over="ignore"):  # infinity then, as of any other value
            vectors = tuple(vector.astype(dtype) for vector in f.vectors)
        told.append((f.function, f.numbers, activations.bounds(f.activation), vectors))
    return Finish(told, dtype.itemsize)
