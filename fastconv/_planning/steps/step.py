"""What every step is: a runner for one shape, and what it tells of itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastconv._checks.types import Accuracy, Layout
from fastconv._graph.operations.operation import NHWC
from fastconv._kernels import cpu
from fastconv._planning.prepared import Prepared
from fastconv._runners.partition import LoopNest

if TYPE_CHECKING:
    from fastconv._planning.description import Description


class PreparedStep(Prepared):
    """What runs on NHWC arrays that are known to be right; `name` says how, `out_shape` is NHWC in any layout.

    `make` makes a runner.
    """

    __slots__ = ("_make", "name", "out_shape")
    layout: Layout = "NHWC"  # of the arrays
    accuracy: Accuracy | None = None  # that a convolution promises
    runner: LoopNest

    def __init__(
        self, name: str, out_shape: NHWC, num_threads: int | None, useful: int, make: Callable[[], LoopNest]
    ) -> None:
        super().__init__(num_threads, useful)
        self.name, self.out_shape, self._make = name, out_shape, make

    def _bind(self, threads: int) -> LoopNest:
        return self._make()

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return 0

    @property
    def packed_bytes(self) -> int:
        """What is kept beside the plan's own copy of the weights."""
        return 0

    @property
    def additions(self) -> int | None:
        """Those before the multiplications, where they are counted."""
        return None

    def multiplications(self, runner: LoopNest) -> int:
        """Those that a runner really does."""
        return 0

    def describe(self) -> "Description":
        """The `Description` of a run."""
        from fastconv._planning.description import Description  # which most programs do without

        runner = self.runner
        return Description(
            algorithm=self.name,
            accuracy=self.accuracy,
            tile=runner.tile or "",
            isa=cpu.active(),
            threads=runner.threads,
            macs=self.macs,
            multiplications=self.multiplications(runner),
            additions=self.additions,
            packed_bytes=self.packed_bytes,
            workspace_bytes=runner.memory,
            layout_conversion="none",
        )
