"""The weights of a graph as a call hands them over, and what was made of them.

A graph that PyTorch compiled serves other instances of a class, and weights that have changed: nothing but the tensors
of a call tells which. What was packed is kept for each set of tensors that is alive, as long as they do not change.
"""

import weakref
from collections import Counter
from typing import Any

import torch

from fastconv._checks.types import Accuracy
from fastconv.onnx._segments import Kept

_MAX_CHANGES = 8


class Weights:
    """Some parameters as they are now. `folded` has what follows from them alone, `bound` what runs for each shape."""

    def __init__(self, tensors: list[torch.Tensor], accuracy: Accuracy) -> None:
        self.tensors = [one.detach() for one in tensors]  # which keep their memory, not the parameters, alive
        self.folded: dict[Any, Any] = {}
        self.arrays: dict[int, Any] = {}  # {id of a tensor: (it, its values)}
        self.bound: dict[Any, Any] = {}
        self._accuracy = accuracy
        self._kept: dict[int, Kept] = {}

    def kept(self, num_threads: int) -> Kept:
        """The plans for a team of this size."""
        return self._kept.setdefault(num_threads, Kept(num_threads, self._accuracy))


class KnownWeights:
    """The `Weights` of tensors that are alive."""

    def __init__(self, accuracy: Accuracy) -> None:
        self._accuracy = accuracy
        self._known: dict[tuple[int, ...], tuple[Any, Weights, Any]] = {}
        self._changes = Counter[int]()  # of each tensor since weights were found as they were

    def of(self, tensors: list[torch.Tensor]) -> tuple[Weights, list[int]]:
        """(those of these tensors as they are now, which of them change at every call).

        Tensors that were made in inference mode do not tell whether they have changed: RuntimeError.
        """
        key = tuple(map(id, tensors))
        state = [(one.data_ptr(), one._version, one.shape, one.stride()) for one in tensors]
        known = self._known.get(key)
        if known is not None and known[0] == state:
            self._changes.clear()
        else:
            if known is not None:
                pairs = zip(known[0], state, strict=True)
                self._changes.update(i for i, (before, now) in enumerate(pairs) if before != now)
            drop = self._dropping(key)
            self._known[key] = known = state, Weights(tensors, self._accuracy), [weakref.ref(t, drop) for t in tensors]
        return known[1], [i for i, count in self._changes.items() if count >= _MAX_CHANGES]

    def _dropping(self, key: tuple[int, ...]) -> Any:
        known = weakref.ref(self)

        def drop(_: Any) -> None:
            owner = known()
            if owner is not None:
                owner._known.pop(key, None)

        return drop
