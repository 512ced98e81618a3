"""From a graph of aten's operators and the tensors of a call to steps.

The graph has no operator that changes a tensor. What follows from weights and shapes alone is computed at once, what
has a translation becomes a node of a segment, and the others are left to PyTorch: as `fastconv.onnx._binding` does it,
with its translations.
"""

import operator
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import fx

from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.transposed import ConvTranspose
from fastconv.onnx._program import Node
from fastconv.onnx._segments import Kept, Segment
from fastconv.onnx._steps import given_back
from fastconv.onnx._values import Map, Tensor
from fastconv.torch._attending import Attending, Attention, attentions, needed
from fastconv.torch._dtypes import FLOATS
from fastconv.torch._fakes import fakes_of
from fastconv.torch._recurrent import layers
from fastconv.torch._steps import LayerStep, OperatorStep, PlanStep, Step, Values, given, tensors
from fastconv.torch._translating import Translating
from fastconv.torch._views import lying
from fastconv.torch._weights import Weights

_aten = torch.ops.aten
_OF_SHAPES = (  # operators that read no value of their first argument
    *(_aten.zeros_like.default, _aten.ones_like.default, _aten.full_like.default),
    *(_aten.new_zeros.default, _aten.new_ones.default, _aten.new_full.default),
)
# A view of what an operator gives, whose strides in a run are not always those that the tracer was told.
_IN_ANY_STRIDES = dict.fromkeys((_aten.view.default, _aten._unsafe_view.default), _aten.reshape.default)
_FEW_MACS = 2**20  # of products, which take a plan about as long as to be called
_OTHER: np.dtype = np.dtype(object)  # of what is no map


class Bound:
    """The steps of a graph for tensors of some shapes and strides."""

    def __init__(self, steps: list[Step], inputs: list[tuple[int, str]], outputs: list[Any]) -> None:
        self.steps, self._inputs, self._outputs = steps, inputs, outputs
        kept = {value.name for value in tensors([one for one, _ in outputs])}
        for step, frees in given_back(steps, kept):  # type: ignore[arg-type]
            step.frees = frees

    def run(self, args: list[Any]) -> list[Any]:
        """The results for the tensors of a call."""
        values: Values = {name: args[i] for i, name in self._inputs}
        for step in self.steps:
            step.run(values)
            for name in step.frees:
                del values[name]
        return [given(one, values).clone() if is_copied else given(one, values) for one, is_copied in self._outputs]


def bind(module: fx.GraphModule, args: list[Any], constants: list[int], weights: Weights, kept: Kept) -> Bound:
    """The steps for a call with these arguments, of which those at the places `constants` are the weights."""
    fakes = fakes_of(module, args)
    left, found = set(_views_by_strides(module)), attentions(module, fakes)
    while True:  # until no segment is left that moves and changes values alone, which is not worth the conversions
        binding = Binding(module, fakes, weights, kept, left, found)
        binding.take(args, constants)
        more = binding.nodes_without_products()
        if not more:
            binding.forget()
            return binding.bound()
        left |= more


class Binding(Translating):
    """Binds the nodes in their order. `_known` has for each a `Tensor`, where it is a value of a run, or the value."""

    def __init__(
        self,
        module: fx.GraphModule,
        fakes: Mapping[fx.Node, Any],
        weights: Weights,
        kept: Kept,
        left: set[fx.Node],
        found: Mapping[fx.Node, Attention],
    ) -> None:
        super().__init__(fakes, weights, kept)
        self._module, self._left, self._attentions = module, left, found
        self._known: dict[fx.Node, Any] = {}
        self._sized = set[fx.Node]()
        self._macs = Counter[Any]()  # of each segment
        self._inputs, self._outputs = list[tuple[int, str]](), list[tuple[Any, bool]]()

    def take(self, args: list[Any], constants: list[int]) -> None:
        """Take all nodes in."""
        places = {place: i for i, place in enumerate(constants)}
        placeholders = [node for node in self._module.graph.nodes if node.op == "placeholder"]
        for i, node in enumerate(placeholders):
            if i in places and not any(user.op == "output" for user in node.users):
                self._known[node] = self._weights.tensors[places[i]]
            elif isinstance(args[i], torch.Tensor):
                self._known[node] = self._tensor(node.name, self._fakes[node], -1)
                self._inputs.append((i, node.name))
            else:
                self._known[node] = args[i]
        read = needed(self._module, self._attentions)
        for node in self._module.graph.nodes:
            if node.op == "get_attr":
                value = self._fakes[node]  # itself, which no call changes
                is_tensor = isinstance(value, torch.Tensor)
                self._known[node] = self._weights.folded.setdefault(node, value.detach()) if is_tensor else value
            elif node.op == "call_function" and node in read:
                self._bind(node)
            elif node.op == "output":
                self._outputs = self._results_of(node)

    def bound(self) -> Bound:
        """What runs."""
        segments = sorted(self._segments.values(), key=lambda one: -one.level)
        steps: list[Step] = [step for step in map(self._plan_step, segments) if step]
        steps += self._steps
        steps.sort(key=lambda step: (step.level, isinstance(step, OperatorStep)))
        return Bound(steps, self._inputs, self._outputs)

    def add(self, node: Node, operation: Operation, *maps: Map, axes: str = "") -> Map:
        """The result of an operation on maps, whose multiply-adds are counted."""
        result = super().add(node, operation, *maps, axes=axes)
        self._macs[result.segment] += operation.macs("NHWC", *(one.nhwc for one in maps))
        return result

    def nodes_without_products(self) -> set[fx.Node]:
        """Those that became nodes of segments that have no convolution, and few multiply-adds."""
        rest = {
            one
            for one in self._segments.values()
            if one.outputs and self._macs[one] < _FEW_MACS and not _convolves(one)
        }
        return {node for node, segments in self._native.items() if segments & rest}

    def _plan_step(self, segment: Segment) -> PlanStep | None:
        graph = segment.graph()  # after those of higher levels have said what they read
        if not segment.outputs:
            return None
        for value in segment.outputs.values():  # what other segments alone read has no strides of PyTorch's
            self._like.setdefault(value.name, lying(value))
        plan, threads = None if graph is None else self.kept.plan(graph), self.kept.num_threads
        assert threads is not None
        return PlanStep(segment, plan, threads, self._like)

    def _bind(self, node: fx.Node) -> None:
        """Take a node in."""
        if node in self._attentions:
            self._known[node] = self._attending(node, self._attentions[node])
            return
        if node.target is operator.getitem:
            value = self._known[node.args[0]]
            if isinstance(value, list | tuple):
                self._known[node] = value[node.args[1]]
                self._is_sized(node)
                return
        fake = self._fakes[node]
        args, kwargs = (fx.node.map_arg(given, self._known.__getitem__) for given in (node.args, node.kwargs))
        if isinstance(fake, int | float | bool):
            self._known[node] = fake
        elif node.target in _OF_SHAPES and not any(True for _ in tensors((args[1:], kwargs))):
            like = self._fakes[node.args[0]]
            like = torch.empty_strided(like.shape, like.stride(), dtype=like.dtype, device=like.device)
            self._sized.add(node)
            self._known[node] = node.target(like, *args[1:], **kwargs)
        elif not any(True for _ in tensors((args, kwargs))):
            self._known[node] = self._folded(node, args, kwargs)
        else:
            results = None if node in self._left else self.translated(node, args, kwargs)
            self._known[node] = self._by_torch(node, args, kwargs) if results is None else results

    def _folded(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        """What follows from weights and numbers alone, kept with the weights where it is the same for all sizes."""
        value = self._weights.folded.get(node)
        if value is None:
            with torch.no_grad():
                value = node.target(*args, **kwargs)
            if not self._is_sized(node):
                value = self._weights.folded.setdefault(node, value)
        return value

    def _is_sized(self, node: fx.Node) -> bool:
        """Whether what follows from weights depends on numbers of the call, such as sizes, too."""
        is_sized = any(one in self._sized or isinstance(self._known[one], int | float) for one in node.all_input_nodes)
        if is_sized:
            self._sized.add(node)
        return is_sized

    def forget(self) -> None:
        """Drop what follows from weights alone and only led to other such values."""
        for node in self._module.graph.nodes:
            if not self._is_read(node):
                self._weights.folded.pop(node, None)

    def _is_read(self, node: fx.Node) -> bool:
        """Whether a step, a translation or the caller reads a node, or an entry of it."""
        return any(
            user.op == "output"
            or any(True for _ in tensors(self._known.get(user)))
            or (user.target is operator.getitem and self._is_read(user))
            for user in node.users
        )

    def _by_torch(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        """The results of an operator that PyTorch runs."""
        level = max(value.level for value in tensors((args, kwargs)))
        for value in tensors((args, kwargs)):
            self._name(value)
        fake = self._fakes[node]
        if isinstance(fake, list | tuple):
            pairs = enumerate(fake)
            results: Any = [
                self._tensor(f"{node.name}.{i}", one, level) if isinstance(one, torch.Tensor) else None
                for i, one in pairs
            ]
        else:
            results = self._tensor(node.name, fake, level) if isinstance(fake, torch.Tensor) else None
        layer = layers(node, args, fake, self._weights, self.kept)
        target = _IN_ANY_STRIDES.get(node.target, node.target)
        step = OperatorStep(target, args, kwargs, results, level) if layer is None else None
        self._steps.append(step or LayerStep(layer, args[:2], {}, results, level))
        return results

    def _attending(self, node: fx.Node, attention: Attention) -> Any:
        """The result of an attention, by the kernels of fastconv; that of an operator which gives others too is one of
        them.
        """
        fake = self._fakes[node]
        like = fake if isinstance(fake, torch.Tensor) else fake[0]
        inputs = [self._known[one] for one in attention.inputs]
        for value in tensors(inputs):
            self._name(value)
        level = max((value.level for value in tensors(inputs)), default=-1)
        run = Attending(attention, self.kept.num_threads, like)
        result = self._tensor(node.name, like, level)
        results = [result]
        if run.is_in_rows:  # those of an attention lie as the pixels of a map, which what follows may read
            pixels = self._tensor(f"{node.name} in rows", like.new_empty(run.rows), level)
            results.append(pixels)
            result = self.turned(node.name, pixels, run.sizes)
        self._steps.append(LayerStep(run, inputs, {}, results, level))
        return result if fake is like else [result, *(None for _ in fake[1:])]

    @staticmethod
    def _tensor(name: str, fake: torch.Tensor, level: int) -> Tensor:
        is_array = fake.device.type == "cpu" and fake.layout == torch.strided
        dtype = FLOATS.get(fake.dtype, _OTHER) if is_array else _OTHER
        return Tensor(name, tuple(fake.shape), dtype, level)

    def _results_of(self, node: fx.Node) -> list[tuple[Any, bool]]:
        """[(a result, whether it is copied)]: what is no input itself shares no memory with inputs and weights."""
        found, owners = list[tuple[Any, bool]](), dict[str, fx.Node]()
        for one in node.args[0]:
            value = self._known[one] if isinstance(one, fx.Node) else one
            if isinstance(value, Tensor):
                found.append((value, owners.setdefault(self._name(value), one) is not one))
            else:
                found.append((value, isinstance(value, torch.Tensor)))
        return found


def _views_by_strides(module: fx.GraphModule) -> Iterator[fx.Node]:
    """The views that as_strided reads, beyond whose values it may reach: PyTorch's own have there what they are of."""
    for node in module.graph.nodes:
        if node.target is torch.ops.aten.as_strided.default:
            read = node.args[0]
            while getattr(read.target, "is_view", False):
                yield read
                read = read.args[0]


def is_check(node: fx.Node) -> bool:
    """Whether a node computes nothing, and checks that sizes or values are what they were in the trace."""
    return not node.users and "assert" in str(node.target)


def _convolves(segment: Segment) -> bool:
    graph = segment.graph()
    return graph is not None and any(
        isinstance(one.operation, Conv | ConvTranspose) and one.operation.kind != "linear" for one in graph.nodes
    )
