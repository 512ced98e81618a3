"""Exact counts of what is computed and moved."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Exact counts, which add up with +; `Cost()` is nothing.

    Attributes
    ----------
    macs : int
        Multiply-accumulates, for the whole batch.
    params : int
        Weights and biases.
    bytes : int
        Input read once, parameters read once, output written once.
    """

    macs: int = 0
    params: int = 0
    bytes: int = 0

    def __radd__(self, other: object) -> "Cost":
        return self if other == 0 else NotImplemented  # where `sum` starts

    def __add__(self, other: object) -> "Cost":
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(self.macs + other.macs, self.params + other.params, self.bytes + other.bytes)
