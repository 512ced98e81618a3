"""What evaluates a node by kernels of fastconv where no graph has it, prepared when a call brings the arrays."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastconv._planning.steps.step import PreparedStep

_MAX_KEPT = 16


class ByKernels:
    """What evaluates a node; it keeps what it prepared for the shapes and strides of its last inputs."""

    def __init__(self, num_threads: int | None) -> None:
        self._num_threads = num_threads
        self._kept: dict[Any, PreparedStep] = {}

    @property
    def threads(self) -> int:
        """Those of the largest team, 1 where nothing was prepared."""
        return max((step.runner.threads for step in [*self._kept.values()]), default=1)

    def prepared(self, inputs: Sequence[np.ndarray], make: Callable[[], PreparedStep]) -> PreparedStep:
        """The step for inputs like these, which `make` makes where there is none."""
        key = tuple((one.shape, one.strides, one.dtype) for one in inputs)
        step = self._kept.get(key)
        if step is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            step = self._kept.setdefault(key, make())
        return step
