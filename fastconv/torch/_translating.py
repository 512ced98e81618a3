"""What operators of aten are in segments, in the shapes and with the strides that PyTorch gives."""

import logging
import operator
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import fx

from fastconv._checks.types import Shape
from fastconv.onnx._maps import Maps
from fastconv.onnx._program import Node
from fastconv.onnx._segments import Kept, Segment
from fastconv.onnx._table import PARAMETERS, TRANSLATIONS
from fastconv.onnx._translations.shaping import in_shape
from fastconv.onnx._values import Map, Tensor
from fastconv.onnx._views import View, function, view
from fastconv.torch._dtypes import FLOATS
from fastconv.torch._left import is_plain
from fastconv.torch._operators import written
from fastconv.torch._steps import OperatorStep, tensors
from fastconv.torch._views import Repeated, broadcast, laid_out, narrow, repeated, seen, spread
from fastconv.torch._weights import Weights
from fastconv.torch._words import Written

_log = logging.getLogger(__name__)

_REPEATING = torch.ops.aten.expand.default, torch.ops.aten.repeat.default
_VERSION = 24  # of ONNX, in whose words operators are written
_ARRAYS = (*FLOATS, torch.int64, torch.int32, torch.bool)  # constants that translations may read


class Translating(Maps):
    """Takes nodes of a graph into segments: those in `native`, the segments that have each."""

    def __init__(self, fakes: Mapping[fx.Node, Any], weights: Weights, kept: Kept) -> None:
        super().__init__(kept)
        self._fakes, self._weights = fakes, weights
        self._steps: list[OperatorStep] = []
        self._like: dict[str, torch.Tensor] = {}  # {name of a value of a segment, or of a view: what PyTorch gives}
        self._viewed = set[str]()  # the views that steps make tensors of
        self._native: dict[fx.Node, set[Segment]] = {}

    def translated(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        """What a node is in segments; None where it has no translation."""
        fake = self._fakes[node]
        if node.target is torch.ops.aten.as_strided.default and not _is_same(self._fakes[node.args[0]], fake):
            return None
        shape = tuple(fake.shape) if isinstance(fake, torch.Tensor) else None
        if node.target in _REPEATING and (one := repeated(f"{node.name}.0", args[0], shape or ())):
            self._native[node] = {one.base.segment}
            return self._named(one, fake)
        try:
            call = written(node.target, self._told(args), self._told(kwargs), shape)
            results = None if call is None else self._results(node.name, call, {})
        except ValueError:  # such as a shape that ONNX has no broadcast for
            return None
        except Exception as error:  # of arguments that no translation expects, which PyTorch may take
            _log.warning("fastconv leaves %s to PyTorch: %r", node.target, error)
            return None
        found = self._as_torch_has_it(node, results)
        if found is not None:
            maps = [one.base if isinstance(one, View | Repeated) else one for one in tensors(found)]
            self._native[node] = {one.segment for one in maps if isinstance(one, Map) and one.segment}
        return found

    def _results(self, name: str, call: Written, made: dict[int, Any]) -> Any:
        """Those of a node of ONNX, after those of the nodes that it reads, which are `made` once."""
        inputs = list[Any]()
        for one in call.inputs:
            if isinstance(one, Written):
                if id(one) not in made:
                    made[id(one)] = self._results(f"{name}:{len(made)}", one, made)
                if made[id(one)] is None:
                    return None
                inputs.append(made[id(one)])
            else:
                inputs.append(one)
        if call.kind not in TRANSLATIONS or _is_late(call.kind, inputs):
            return None
        inputs = self._arrays(broadcast(call.kind, inputs))
        outputs = tuple(f"{name}.{i}" for i in range(call.results))
        node, translate = Node(name, call.kind, "", _VERSION, (), outputs, call.attributes), TRANSLATIONS[call.kind]
        result = function(self, node, translate, inputs)  # type: ignore[arg-type]
        result = translate(self, node, *inputs) if result is None else result
        if call.shape is None or not result:
            return result
        named = zip(outputs, result if isinstance(result, list) else [result], strict=True)
        return [in_shape(self, replace(node, outputs=(one,)), y, call.shape) for one, y in named]  # type: ignore[arg-type]

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
        if not isinstance(value, View | Repeated) and (not isinstance(value, Map) or value.segment is None):
            return None
        if value.shape != tuple(fake.shape) or value.dtype != FLOATS.get(fake.dtype):
            return None
        known = self._like.get(value.name)
        if known is not None and known.stride() != fake.stride():
            value = self._again(value)
        self._like.setdefault(value.name, fake)
        return value

    def _again(self, value: Map | View | Repeated) -> Map | View | Repeated:
        """The same values by another name."""
        if isinstance(value, Map):
            return self.seen_as(value, value.axes)
        self._made += 1
        return replace(value, name=f"{value.name} {self._made}")

    def turned(self, name: str, pixels: Tensor, sizes: Shape) -> Tensor:
        """A tensor that a step gives as pixels too, which are in these sizes but for the order of its middle axes."""
        base = self.as_map(pixels, "NWC")
        if base is None:
            raise RuntimeError(f"{pixels.name} is no map")
        node = Node(name, "Transpose", "", _VERSION, (), (name,), {})
        self._viewed.add(name)  # it is there
        return view(self, node, self.entered(base), sizes, (0, 2, 1, 3))  # type: ignore[arg-type]

    def _name(self, value: Tensor) -> str:
        """The name of a value that is read as a tensor, which a step makes of a view."""
        if isinstance(value, View | Repeated) and value.name not in self._viewed:
            self._viewed.add(value.name)
            base, strides = self.seen_as(value.base, value.base.axes), self._like[value.name].stride()
            if isinstance(value, View):
                self._like[base.name] = laid_out(value, strides)
                target = partial(seen, sizes=value.sizes, order=value.order, strides=strides)
            else:
                self._like[base.name] = narrow(value, strides)
                target = partial(spread, shape=value.shape, strides=strides)
            self._name(base)
            self._steps.append(OperatorStep(target, (base,), {}, value, value.level))
        return super()._name(value)

    def _told(self, given: Any) -> Any:
        """Arguments for `written`: arrays for constants. None stands for what is left out: ValueError of others."""
        if isinstance(given, torch.Tensor):
            key = id(given)
            known = self._weights.arrays.get(key)  # which another thread may forget
            if known is None:
                if given.dtype not in _ARRAYS or given.device.type != "cpu" or not is_plain(given):
                    raise ValueError(f"{given.dtype} has no translation")
                known = self._weights.arrays[key] = given, given.numpy()
            return known[1]
        if isinstance(given, list | tuple):
            return [self._told(one) for one in given]
        if isinstance(given, dict):
            return {name: self._told(one) for name, one in given.items()}
        return given

    @staticmethod
    def _arrays(inputs: Any) -> list[Any]:
        """The inputs of a node of ONNX: numbers are arrays of the dtype of the values beside them."""
        dtype = next((one.dtype for one in inputs if isinstance(one, Tensor)), None)
        is_float = dtype in FLOATS.values()
        return [np.array(one, dtype) if is_float and isinstance(one, int | float) else one for one in inputs]


def _is_same(x: torch.Tensor, y: torch.Tensor) -> bool:
    """Whether a tensor by other strides, as adaptive pools to one pixel give it in channels_last, has its values."""
    strides = zip(x.shape, x.stride(), y.stride(), strict=False)
    is_strided_alike = all(before == after for size, before, after in strides if size > 1)
    return x.shape == y.shape and x.storage_offset() == y.storage_offset() and is_strided_alike


def _is_late(kind: str, inputs: list[Any]) -> bool:
    """Whether only a run knows a value that translations take as a constant."""
    return any(isinstance(inputs[i], Tensor) for i in PARAMETERS.get(kind, ()) if i < len(inputs))
