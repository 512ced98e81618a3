"""A graph of aten's operators that is called with tensors: by fastconv where it can, by PyTorch where not."""

import logging
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import fx

from fastconv._checks.types import Accuracy
from fastconv.torch import _circular_pads, _response_norms
from fastconv.torch._binding import Bound, bind, is_check
from fastconv.torch._counts import COUNTED
from fastconv.torch._fakes import FakeError
from fastconv.torch._left import is_plain
from fastconv.torch._operators import PARAMETERS
from fastconv.torch._weights import KnownWeights

_DROPOUTS = {"dropout": 0, "dropout_p": 0, "train": False, "training": False}  # arguments of an inactive one
_MAX_BOUND = 64  # kept, one for the shapes of a call each

_log = logging.getLogger(__name__)


class OutdatedError(Exception):
    """Tensors of a module have other shapes, strides, dtypes or classes than in its trace."""


class Program:
    """The graph, which has no operator that changes a tensor it did not make; it may be called from many threads.

    Its weights are the tensors at some places of a call: those of `likes`, {place: likeness in the trace}, from which
    they must not differ (OutdatedError); the first call tells the places where `likes` is None.
    """

    def __init__(
        self,
        module: fx.GraphModule,
        num_threads: int | None,
        accuracy: Accuracy,
        known: KnownWeights | None = None,
        likes: dict[int, Any] | None = None,
    ) -> None:
        for one in (_response_norms, _circular_pads):
            one.put_together(module)
        self._module, self._num_threads, self._likes = module, num_threads, likes or {}
        self._constants = None if likes is None else [*likes]
        self._accuracy: Accuracy = accuracy
        self._known = known or KnownWeights(accuracy)
        self._is_left = not _can_be_moved(module)
        COUNTED["graphs"] += 1

    def __call__(self, args: Sequence[Any]) -> list[Any]:
        """The results, as PyTorch gives them."""
        COUNTED["calls"] += 1
        args = list(args)
        bound = None if self._is_left else self._bound(args)
        if bound is None:
            self._check_likes(args)
            COUNTED["left"] += 1
            return list(self._module(*args))
        return bound.run(args)

    def _bound(self, args: list[Any]) -> Bound | None:
        """The steps for a call; None where PyTorch takes it."""
        if self._constants is None:
            self._constants = _constants(self._module, args)
        constants = self._constants  # which another thread may change
        try:
            weights, restless = self._known.of([args[i] for i in constants])
        except RuntimeError:  # of tensors that do not tell whether they have changed
            return None
        if restless:  # they change at every call: no weights
            self._constants = [place for i, place in enumerate(constants) if i not in restless]
            self._known = KnownWeights(self._accuracy)
            return self._bound(args)
        threads = self._num_threads or torch.get_num_threads()
        key = self, threads, *(likeness(args[i]) for i in _others(len(args), tuple(constants)))
        bound = weights.bound.get(key)
        if bound is None:
            self._check_likes(args)
            if len(weights.bound) >= _MAX_BOUND:
                weights.clear()
            try:
                bound = weights.bound[key] = bind(self._module, args, constants, weights, weights.kept(threads))
            except FakeError as error:
                _log.warning("fastconv leaves a graph to PyTorch: %s", error)
                self._is_left = True
                return None
            weights.settle()
        return bound

    def _check_likes(self, args: list[Any]) -> None:
        if any(likeness(args[i]) != like for i, like in self._likes.items()):
            raise OutdatedError


@lru_cache
def _others(count: int, places: tuple[int, ...]) -> tuple[int, ...]:
    """The places of so many that are not among these."""
    return tuple(sorted({*range(count)} - {*places}))


def likeness(value: Any) -> Any:
    """What is equal for values of a run for which the same steps run."""
    if isinstance(value, torch.Tensor):
        return value.shape, value.stride(), value.dtype, value.device, is_plain(value)
    return type(value), repr(value) if isinstance(value, float) else value  # 2 == 2.0 == True, 0.0 == -0.0, nan != nan


def _constants(module: fx.GraphModule, args: list[Any]) -> list[int]:
    """The places of the weights: parameters, what dynamo knows to be a module's own, and what is read as a weight."""
    weights = {source for node in module.graph.nodes for source in _sources(node)}
    placeholders = [node for node in module.graph.nodes if node.op == "placeholder"]
    return [
        i
        for i, (node, value) in enumerate(zip(placeholders, args, strict=True))
        if isinstance(value, torch.Tensor)
        and (isinstance(value, torch.nn.Parameter) or hasattr(value, "_dynamo_static_input_type") or node in weights)
    ]


def _sources(node: fx.Node) -> Iterator[fx.Node]:
    """What a node reads as weights."""
    for i in PARAMETERS.get(node.target, ()):
        if isinstance(node.args[i], fx.Node):
            yield node.args[i]


def _can_be_moved(module: fx.GraphModule) -> bool:
    """Whether the order of the operators does not matter: none draws random numbers or changes what is there."""
    calls = [node for node in module.graph.nodes if node.op == "call_function" and not is_check(node)]
    others = any(node.op in ("call_method", "call_module") for node in module.graph.nodes)
    return not others and not any(node.is_impure(impure_random=False) or is_random(node) for node in calls)


def is_random(node: fx.Node) -> bool:
    """Whether an operator draws random numbers: attention and recurrent layers do so for a dropout alone."""
    if torch.Tag.nondeterministic_seeded not in getattr(node.target, "tags", ()):
        return False
    schema = node.target._schema.arguments
    given = {one.name: node.args[i] if i < len(node.args) else one.default_value for i, one in enumerate(schema)}
    given.update(node.kwargs)
    return not any(name in given and given[name] == inactive for name, inactive in _DROPOUTS.items())
