"""From a graph of aten's operators and the tensors of a call to steps.

The graph has no operator that changes a tensor. What follows from weights and shapes alone is computed at once, what
has a translation becomes a node of a segment, and the others are left to PyTorch: as `fastconv.onnx._binding` does it,
with its translations.
"""

import operator
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import fx

from fastconv._graph.operations.conv import Conv
from fastconv.onnx._maps import Maps
from fastconv.onnx._program import Node
from fastconv.onnx._segments import Kept, Segment
from fastconv.onnx._steps import given_back
from fastconv.onnx._table import PARAMETERS, TRANSLATIONS
from fastconv.onnx._values import Map, Tensor
from fastconv.torch._fakes import fakes_of
from fastconv.torch._left import is_plain
from fastconv.torch._operators import Written, written
from fastconv.torch._steps import OperatorStep, PlanStep, Step, Values, given, tensors
from fastconv.torch._weights import Weights

_VERSION = 24  # of ONNX, in whose words operators are written
_FLOATS: dict[torch.dtype, np.dtype] = {torch.float32: np.dtype(np.float32), torch.float64: np.dtype(np.float64)}
_OTHER: np.dtype = np.dtype(object)  # of what is no map
_ARRAYS = (*_FLOATS, torch.int64, torch.int32, torch.bool)  # constants that translations may read


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
    left = set(_views_by_strides(module))
    while True:  # until no segment is left that moves and changes values alone, which is not worth the conversions
        binding = Binding(module, fakes, weights, kept, left)
        bound = binding.bound(args, constants)
        more = binding.nodes_without_convolutions()
        if not more:
            binding.forget()
            return bound
        left |= more


class Binding(Maps):
    """Binds the nodes in their order. `_known` has for each a `Tensor`, where it is a value of a run, or the value."""

    def __init__(
        self, module: fx.GraphModule, fakes: Mapping[fx.Node, Any], weights: Weights, kept: Kept, left: set[fx.Node]
    ) -> None:
        super().__init__(kept)
        self._module, self._fakes, self._weights, self._left = module, fakes, weights, left
        self._known: dict[fx.Node, Any] = {}
        self._sized = set[fx.Node]()
        self._steps: list[OperatorStep] = []
        self._like: dict[str, torch.Tensor] = {}  # {name of a value of a segment: what PyTorch gives}
        self._native: dict[fx.Node, set[Segment]] = {}  # {node: the segments that have it}

    def bound(self, args: list[Any], constants: list[int]) -> Bound:
        """What runs."""
        inputs, outputs = [], list[tuple[Any, bool]]()
        places = {place: i for i, place in enumerate(constants)}
        placeholders = [node for node in self._module.graph.nodes if node.op == "placeholder"]
        for i, node in enumerate(placeholders):
            if i in places and not any(user.op == "output" for user in node.users):
                self._known[node] = self._weights.tensors[places[i]]
            elif isinstance(args[i], torch.Tensor):
                self._known[node] = self._tensor(node.name, self._fakes[node], -1)
                inputs.append((i, node.name))
            else:
                self._known[node] = args[i]
        for node in self._module.graph.nodes:
            if node.op == "get_attr":
                value = self._fakes[node]  # itself, which no call changes
                is_tensor = isinstance(value, torch.Tensor)
                self._known[node] = self._weights.folded.setdefault(node, value.detach()) if is_tensor else value
            elif node.op == "call_function" and not is_check(node):
                self._bind(node)
            elif node.op == "output":
                outputs = self._outputs(node)
        segments = sorted(self._segments.values(), key=lambda one: -one.level)
        steps: list[Step] = [step for step in map(self._plan_step, segments) if step]
        steps += self._steps
        steps.sort(key=lambda step: (step.level, isinstance(step, OperatorStep)))
        return Bound(steps, inputs, outputs)

    def nodes_without_convolutions(self) -> set[fx.Node]:
        """Those that became nodes of segments that have no convolution."""
        rest = {one for one in self._segments.values() if one.outputs and not _convolves(one)}
        return {node for node, segments in self._native.items() if segments & rest}

    def _plan_step(self, segment: Segment) -> PlanStep | None:
        graph = segment.graph()  # after those of higher levels have said what they read
        if not segment.outputs:
            return None
        plan, threads = None if graph is None else self.kept.plan(graph), self.kept.num_threads
        assert threads is not None
        return PlanStep(segment, plan, threads, self._like)

    def _bind(self, node: fx.Node) -> None:
        """Take a node in."""
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
        elif not any(True for _ in tensors((args, kwargs))):
            self._known[node] = self._folded(node, args, kwargs)
        else:
            results = None if node in self._left else self._translated(node, args, kwargs)
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

    def _translated(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        """What a node is in segments; None where it has no translation."""
        fake = self._fakes[node]
        if node.target is torch.ops.aten.as_strided.default and not _is_same(self._fakes[node.args[0]], fake):
            return None
        shape = tuple(fake.shape) if isinstance(fake, torch.Tensor) else None
        try:
            call = written(node.target, self._told(args), self._told(kwargs), shape)
            if call is None or call.kind not in TRANSLATIONS or _is_late(call):
                return None
            outputs = tuple(f"{node.name}.{i}" for i in range(call.results))
            onnx = Node(node.name, call.kind, "", _VERSION, (), outputs, call.attributes)
            results = TRANSLATIONS[call.kind](self, onnx, *self._arrays(call.inputs))
        except ValueError:  # such as a shape that ONNX has no broadcast for
            return None
        found = self._as_torch_has_it(node, results)
        if found is not None:
            self._native[node] = {one.segment for one in tensors(found) if isinstance(one, Map) and one.segment}
        return found

    def _as_torch_has_it(self, node: fx.Node, results: Any) -> Any:
        """The results of a translation, where they are what PyTorch gives, under names of their own."""
        fake = self._fakes[node]
        if isinstance(results, Tensor) and isinstance(fake, torch.Tensor):
            return self._named(results, fake)
        if not isinstance(fake, list | tuple) or results is None:
            return None
        many = results if isinstance(results, list) else [results]
        read = {one.args[1] for one in node.users if one.target is operator.getitem}
        if len(read) < len(node.users) or not read.issubset(range(len(many))):
            return None
        named = [self._named(one, like) for one, like in zip(many, fake, strict=False)]
        return None if None in named else named + [None] * (len(fake) - len(named))

    def _named(self, value: Any, fake: torch.Tensor) -> Tensor | None:
        """A value by a name for which nothing else than this tensor stands."""
        if not isinstance(value, Map) or value.segment is None:
            return None
        if value.shape != tuple(fake.shape) or value.dtype != _FLOATS.get(fake.dtype):
            return None
        known = self._like.get(value.name)
        if known is not None and known.stride() != fake.stride():
            value = self.seen_as(value, value.axes)
        self._like.setdefault(value.name, fake)
        return value

    def _told(self, given: Any) -> Any:
        """Arguments for `written`: arrays for constants. None stands for what is left out: ValueError of others."""
        if isinstance(given, torch.Tensor):
            key = id(given)
            if key not in self._weights.arrays:
                if given.dtype not in _ARRAYS or given.device.type != "cpu" or not is_plain(given):
                    raise ValueError(f"{given.dtype} has no translation")
                self._weights.arrays[key] = given, given.numpy()
            return self._weights.arrays[key][1]
        if isinstance(given, list | tuple):
            return [self._told(one) for one in given]
        if isinstance(given, dict):
            return {name: self._told(one) for name, one in given.items()}
        return given

    @staticmethod
    def _arrays(inputs: Any) -> list[Any]:
        """The inputs of a node of ONNX: numbers are arrays of the dtype of the values beside them."""
        dtype = next((one.dtype for one in inputs if isinstance(one, Tensor)), None)
        is_float = dtype in _FLOATS.values()
        return [np.array(one, dtype) if is_float and isinstance(one, int | float) else one for one in inputs]

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
        self._steps.append(OperatorStep(node.target, args, kwargs, results, level))
        return results

    @staticmethod
    def _tensor(name: str, fake: torch.Tensor, level: int) -> Tensor:
        is_array = fake.device.type == "cpu" and fake.layout == torch.strided
        dtype = _FLOATS.get(fake.dtype, _OTHER) if is_array else _OTHER
        return Tensor(name, tuple(fake.shape), dtype, level)

    def _outputs(self, node: fx.Node) -> list[tuple[Any, bool]]:
        """[(a result, whether it is copied)]: what is no input itself shares no memory with inputs and weights."""
        found, owners = list[tuple[Any, bool]](), dict[str, fx.Node]()
        for one in node.args[0]:
            value = self._known[one] if isinstance(one, fx.Node) else one
            if isinstance(value, Tensor):
                found.append((value, owners.setdefault(self._name(value), one) is not one))
            else:
                found.append((value, isinstance(value, torch.Tensor)))
        return found


def _is_same(x: torch.Tensor, y: torch.Tensor) -> bool:
    """Whether a tensor by other strides, as adaptive pools to one pixel give it in channels_last, has its values."""
    strides = zip(x.shape, x.stride(), y.stride(), strict=False)
    is_strided_alike = all(before == after for size, before, after in strides if size > 1)
    return x.shape == y.shape and x.storage_offset() == y.storage_offset() and is_strided_alike


def _is_late(call: Written) -> bool:
    """Whether only a run knows a value that translations take as a constant."""
    places = PARAMETERS.get(call.kind, ())
    return any(isinstance(call.inputs[i], Tensor) for i in places if i < len(call.inputs))


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
        isinstance(one.operation, Conv) and one.operation.kind == "conv2d" for one in graph.nodes
    )
