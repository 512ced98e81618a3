"""What runs, one step after the other, on tensors: a plan of fastconv, or an operator of PyTorch."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from fastconv._planning import teams
from fastconv._planning.call import call
from fastconv._planning.graph_plan import GraphPlan
from fastconv._runners.shaping import transpose
from fastconv.onnx._segments import Segment
from fastconv.onnx._steps import NativeStep, contiguous
from fastconv.onnx._values import Tensor, into_map
from fastconv.torch._counts import COUNTED

Values = dict[str, torch.Tensor]  # those of a run by name


class PlanStep(NativeStep):
    """A plan of fastconv, whose results have the strides that PyTorch expects of the tensors `like` them."""

    def __init__(
        self, segment: Segment, plan: GraphPlan | None, num_threads: int, like: Mapping[str, torch.Tensor]
    ) -> None:
        super().__init__(segment, plan, num_threads)
        self._like = [(value, like[value.name].shape, like[value.name].stride()) for value in self._outputs]
        self._vectors = plan._graph.vectors if plan else set[str]()

    def run(self, values: Any, times: np.ndarray | None = None) -> int:
        maps = {node: into_map(values[tensor].numpy(force=True), axes) for node, (tensor, axes) in self.reads.items()}
        maps |= self.constants
        places: dict[str, np.ndarray] = {}  # of the results of the plan, that of a tensor where its strides allow it
        copied: list[tuple[str, np.ndarray]] = []
        for value, shape, strides in self._like:
            tensor = values[value.name] = torch.empty_strided(shape, strides, dtype=_DTYPES[value.dtype])
            y = into_map(tensor.numpy(), value.axes)
            if y.flags.c_contiguous and value.node not in places and value.node not in maps:
                places[value.node] = y.reshape(y.shape[0], y.shape[-1]) if value.node in self._vectors else y
            else:
                copied.append((value.node, y))
        if self.plan is not None:
            given = tuple(contiguous(maps[name], self._num_threads) for name in self.plan.inputs)
            shapes = self.plan._bind(tuple(x.shape for x in given))[1]
            named = zip(self.plan.outputs, shapes, strict=True)
            out = [places[name] if name in places else np.empty(shape, self.dtype) for name, shape in named]
            call(self.plan, self.plan.inputs, given, tuple(out) if len(out) > 1 else out[0])
            maps.update(zip(self.plan.outputs, out, strict=True))
            COUNTED["plans"] += 1
        for node, y in copied:
            _copy(maps[node].reshape(y.shape), y, self._num_threads)
        return 0


_DTYPES = {np.dtype(np.float32): torch.float32, np.dtype(np.float64): torch.float64}


def _copy(x: np.ndarray, y: np.ndarray, num_threads: int | None) -> None:
    """Write a map to one with other strides, by fastconv's kernels where that is contiguous as NCHW."""
    target = y.transpose(0, 3, 1, 2)
    if target.flags.c_contiguous and x.flags.c_contiguous and x.size:
        transpose(x, target, x.shape[1] * x.shape[2], teams.moving_team(num_threads, x.size))
    else:
        y[...] = x


class OperatorStep:
    """A call of an operator of PyTorch; its arguments have a `Tensor` for each value of the run."""

    counted = "operators"

    def __init__(self, target: Any, args: Any, kwargs: Any, results: Any, level: int) -> None:
        self._target, self._kwargs, self._results, self.level = target, kwargs, results, level
        places = [i for i, one in enumerate(args) if any(True for _ in tensors(one))]
        self._given = [(i, args[i].name) for i in places if isinstance(args[i], Tensor)]
        self._nested = [(i, args[i]) for i in places if not isinstance(args[i], Tensor)]
        self._args = [None if i in places else one for i, one in enumerate(args)]
        self.inputs = [value.name for value in tensors((args, kwargs))]
        self.outputs = [value.name for value in tensors(results)]
        self.frees: tuple[str, ...] = ()

    def run(self, values: Values) -> None:
        """Write its results to `values`."""
        args = self._args.copy()
        for i, name in self._given:
            args[i] = values[name]
        for i, nested in self._nested:
            args[i] = given(nested, values)
        results = self._target(*args, **given(self._kwargs, values)) if self._kwargs else self._target(*args)
        if isinstance(self._results, Tensor):
            values[self._results.name] = results
        elif self._results is not None:
            values.update((one.name, y) for one, y in zip(self._results, results, strict=True) if one is not None)
        COUNTED[self.counted] += 1


class LayerStep(OperatorStep):
    """A call of a layer of fastconv's that no graph has, which takes the arguments of an operator of PyTorch."""

    counted = "plans"


def given(source: Any, values: Values) -> Any:
    """Arguments, with the tensors of a run in their places."""
    if isinstance(source, Tensor):
        return values[source.name]
    if isinstance(source, list | tuple):
        return [given(one, values) for one in source]
    if isinstance(source, dict):
        return {name: given(one, values) for name, one in source.items()}
    return source


def tensors(source: Any) -> Iterable[Tensor]:
    """The values of a run in arguments."""
    if isinstance(source, Tensor):
        yield source
    elif isinstance(source, list | tuple):
        for one in source:
            yield from tensors(one)
    elif isinstance(source, dict):
        yield from tensors([*source.values()])


Step = PlanStep | OperatorStep
