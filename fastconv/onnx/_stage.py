"""What nodes are bound to: steps, and the nodes that are bound only when these have run."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv.onnx._program import Node
from fastconv.onnx._steps import Step, Values, given_back
from fastconv.onnx._values import Tensor, is_array, tensor_of

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding

_MAX_FOLLOWERS = 64  # kept of a stage, one for the shapes of what it gives


class Stage:
    """Steps, and where they end before the model does, the nodes that are bound to what they give."""

    def __init__(self, binding: "Binding", steps: list[Step], rest: tuple[Node, ...], live: set[str]) -> None:
        self.steps, self.known = steps, binding.known
        self._binding, self._rest, self._live = binding, rest, live
        self.outputs = binding.outputs
        self._followers: dict[Any, Stage] = {}
        for step, frees in given_back(steps, live):
            step.frees = frees

    @property
    def shapes(self) -> dict[str, Shape]:
        """Those of the tensors by name."""
        return {value.name: value.shape for value in self.known.values() if isinstance(value, Tensor)}

    @property
    def is_last(self) -> bool:
        """Whether no nodes are left."""
        return not self._rest

    @property
    def why_not_last(self) -> str:
        """Why nodes are left."""
        error = f", and on zeros: {self._binding.error}" if self._binding.error else ""
        what = "is chosen by" if self._binding.condition else "follows"
        return f"what {what} {self._binding.last} depends on values of a call{error}"

    def run(self, values: Values, watch: Callable[[Step, Values], Any] | None = None) -> None:
        """Run the steps on the tensors in `values`, to which they add theirs; `watch` runs a step, if it is given."""
        with np.errstate(all="ignore"):
            for step in self.steps:
                if watch is None:
                    step.run(values)
                else:
                    watch(step, values)
                for name in step.frees:
                    del values[name]

    def follower(self, values: Values) -> "Stage":
        """What runs after this one, once its results are there."""
        live = {name: values[name] for name in sorted(self._live)}
        condition = self._binding.condition
        chosen = None if condition is None else np.asarray(live[condition])
        are_arrays = all(isinstance(value, np.ndarray) for value in live.values())
        key: Any = [(value.shape, value.dtype) for value in live.values()] if are_arrays else None
        if key is not None:
            key = *key, None if chosen is None else chosen.tobytes()
        follower = None if key is None else self._followers.get(key)
        if follower is not None:
            return follower
        known = {name: tensor_of(name, value) if is_array(value) else value for name, value in live.items()}
        if condition is not None:
            known[condition] = chosen
        aliases = {name: value for name, value in self.known.items() if not isinstance(value, Tensor)}
        aliases |= {name: known[value.name] for name, value in self.known.items() if _name_of(value) in known}
        stage = self._binding.again(self._rest, aliases | known)
        if key is not None:
            if len(self._followers) >= _MAX_FOLLOWERS:
                self._followers.clear()
            self._followers[key] = stage
        return stage


def _name_of(value: Any) -> str | None:
    return value.name if isinstance(value, Tensor) else None
