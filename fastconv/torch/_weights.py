"""The weights of a graph as a call hands them over, and what was made of them.

A graph that PyTorch compiled serves other instances of a class, and weights that have changed: nothing but the tensors
of a call tells which. What was packed is kept for each set of tensors that is alive, as long as they do not change.
"""

import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from fastconv._checks.types import Accuracy
from fastconv.onnx._segments import Kept

_MAX_CHANGES = 8  # of a tensor that is still a weight
_MAX_CALLS = 8  # from one change to the next, which is then one too many


class Weights:
    """Some parameters as they are now. `folded` has what follows from them alone, `bound` what runs for each shape.

    From those `before` a change it has what was made of the tensors that did not change.
    """

    def __init__(
        self, tensors: list[torch.Tensor], accuracy: Accuracy, before: "Weights | None" = None, changed: Any = ()
    ) -> None:
        known = before.tensors if before else []
        # which keep their memory, not the parameters, alive
        self.tensors: list[torch.Tensor] = [
            known[i] if i < len(known) and i not in changed else one.detach() for i, one in enumerate(tensors)
        ]
        self.folded: dict[Any, Any] = {}
        self.arrays: dict[int, Any] = {}  # {id of a tensor: (it, its values)}
        self.bound: dict[Any, Any] = {}
        self._accuracy = accuracy
        self._kept: dict[int, Kept] = {}
        if before:
            arrays = before.arrays  # others, once it is settled
            self.arrays.update((id(one), arrays[id(one)]) for one in self.tensors if id(one) in arrays)
            self._kept.update((n, Kept(n, accuracy, before=kept)) for n, kept in before._kept.copy().items())

    def kept(self, num_threads: int) -> Kept:
        """The plans for a team of this size."""
        return self._kept.setdefault(num_threads, Kept(num_threads, self._accuracy))

    def settle(self) -> None:
        """Forget what was before the change, and values of tensors that are not kept."""
        for kept in self._kept.copy().values():  # to which, and to the arrays, other threads may add
            kept.before = None
        places = {id(one) for one in (*self.tensors, *tree_leaves([*self.folded.values()]))}
        self.arrays = {place: known for place, known in self.arrays.copy().items() if place in places}

    def clear(self) -> None:
        """Forget what was made for shapes."""
        self.bound.clear()
        self.folded.clear()
        self.arrays.clear()


@dataclass(slots=True)
class _Known:
    """Weights, the state of each tensor that they are of, references to these, and whether a second call had them."""

    state: list[Any]
    weights: Weights
    tensors: list[Any]
    has_come_back: bool


class KnownWeights:
    """The `Weights` of tensors that are alive."""

    def __init__(self, accuracy: Accuracy) -> None:
        self._accuracy = accuracy
        self._known: dict[tuple[int, ...], _Known] = {}
        self._calls = 0
        self._changes: dict[int, tuple[int, int]] = {}  # {place: (changes, the call of the last one)}

    def of(self, tensors: list[torch.Tensor]) -> tuple[Weights, list[int]]:
        """(those of these tensors as they are now, which of them change at most calls).

        Tensors that were made in inference mode do not tell whether they have changed: RuntimeError.
        """
        self._calls += 1
        key = tuple(map(id, tensors))
        state = [(one.data_ptr(), one._version, one.shape, one.stride(), one.dtype) for one in tensors]
        known = self._known.get(key)
        if known is None or known.state != state:
            before, changed = None, set[int]()
            if known is not None:
                before, pairs = known.weights, zip(known.state, state, strict=True)
                changed = {i for i, (then, now) in enumerate(pairs) if then != now}
                for i in changed:
                    self._change(i)
            weights, drop = Weights(tensors, self._accuracy, before, changed), self._dropping(key)
            known = _Known(state, weights, [weakref.ref(one, drop) for one in tensors], known is not None)
            self._known[key] = known
        else:
            known.has_come_back = True
        return known.weights, [i for i, (count, _) in self._changes.copy().items() if count >= _MAX_CHANGES]

    def _change(self, place: int) -> None:
        """Count a change of a tensor, at one call once, and from new on where it stayed for some calls."""
        count, last = self._changes.get(place, (0, 0))
        if self._calls > last:
            self._changes[place] = 1 if self._calls - last > _MAX_CALLS else count + 1, self._calls

    def _dropping(self, key: tuple[int, ...]) -> Any:
        owner = weakref.ref(self)

        def drop(gone: Any) -> None:
            this = owner()
            if this is None:
                return
            known = this._known.pop(key, None)
            if known is not None and not known.has_come_back:  # as where another takes its place at each call
                this._change(next(i for i, one in enumerate(known.tensors) if one is gone))

        return drop
