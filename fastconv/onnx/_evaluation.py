"""Nodes by NumPy: by code of fastconv's own where onnx.reference is wrong or slow, else by that."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from fastconv.onnx._dequantization import dequantized
from fastconv.onnx._in_numpy.elementwise import NUMBERS, are_numbers
from fastconv.onnx._in_numpy.shaping import axis_of
from fastconv.onnx._in_numpy.table import FUNCTIONS, SUMS
from fastconv.onnx._program import Node
from fastconv.onnx._steps import Evaluate

_HALVES = tuple(map(onnx.helper.tensor_dtype_to_np_dtype, (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)))

_OTHER_AXES = "OneHot", "QuantizeLinear"  # one of the result's; one that counts only where scales are several


def evaluation(node: Node) -> tuple[str, Evaluate]:
    """(whose code it is, the function of a node and its inputs that gives a list of its results)."""
    function = FUNCTIONS.get(node.kind) if node.domain == "" else None
    if node.kind == "Cast" and node.attributes["to"] not in NUMBERS:
        function = None
    if node.kind == "CastLike":
        function = _cast_like
    if node.kind == "DequantizeLinear" and node.domain == "":
        return "NumPy", dequantized
    if function is not None:
        return "NumPy", partial(_own, function)
    return "onnx.reference", _Reference()


def check_code(node: Node) -> None:
    """ValueError where neither fastconv nor onnx.reference has code for a node's operator."""
    if evaluation(node)[0] == "onnx.reference":
        with suppress(RuntimeError):  # of functions whose bodies depend on types
            _evaluator(node, [_typed(name, None) for name in node.inputs if name])


def _own(function: Callable[..., Any], node: Node, *inputs: Any) -> list[Any]:
    half = next((one.dtype for one in inputs if _is_half(one)), None) if node.kind in SUMS else None
    if half is not None:
        wide = (one.astype(np.float32) if _is_half(one) else one for one in inputs)
        return [one.astype(half) for one in _own(function, node, *wide)]
    for one in inputs:
        if isinstance(one, np.ndarray) and one.dtype.kind == "V":
            return _Reference()(node, *inputs)  # bfloat16 and its like, of which NumPy knows no arithmetic of its own
    result = function(node, *inputs)
    return [_as_array(one) for one in (result if isinstance(result, tuple) else [result])]


def _is_half(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype in _HALVES


def _cast_like(node: Node, x: np.ndarray, like: np.ndarray) -> Any:
    return x.astype(like.dtype) if are_numbers(x, like) else tuple(_Reference()(node, x, like))


class _Reference:
    """onnx.reference's code for a node, kept for the types of the last call: to make it takes longer than it runs."""

    def __init__(self) -> None:
        self._kept: tuple[list[onnx.ValueInfoProto], ReferenceEvaluator] | None = None

    def __call__(self, node: Node, *inputs: Any) -> list[Any]:
        _check_axes(node, *inputs)
        feeds = {name: value for name, value in zip(node.inputs, inputs, strict=False) if name}
        types = [_typed(name, value) for name, value in feeds.items()]
        kept = self._kept
        if kept is None or kept[0] != types:
            self._kept = kept = types, _evaluator(node, types)
        results = kept[1].run(None, feeds)
        by_name = dict(zip((name for name in node.outputs if name), results, strict=True))
        return [_as_array(by_name.get(name)) for name in node.outputs]


def _evaluator(node: Node, types: list[onnx.ValueInfoProto]) -> ReferenceEvaluator:
    outputs = [onnx.ValueInfoProto(name=name) for name in node.outputs if name]
    graph = onnx.helper.make_graph([node.proto], "node", types, outputs)
    opsets = [onnx.helper.make_opsetid(node.domain, node.version)]
    if node.domain:
        opsets.append(onnx.helper.make_opsetid("", onnx.defs.onnx_opset_version()))
    try:
        return ReferenceEvaluator(onnx.helper.make_model(graph, opset_imports=opsets))
    except NotImplementedError:  # whose text lists all operators that it has
        raise ValueError("neither fastconv nor onnx.reference has code for this operator") from None


def _check_axes(node: Node, *inputs: Any) -> None:
    """Check the attributes that count the axes of the first input: some of onnx.reference's operators do not."""
    if node.domain or node.kind in _OTHER_AXES or not inputs or not isinstance(inputs[0], np.ndarray):
        return
    for axis in (node.attributes.get("axis"), *(node.attributes.get("axes") or ())):
        if axis is not None:
            axis_of(axis, inputs[0].ndim)


def _typed(name: str, value: Any) -> onnx.ValueInfoProto:
    """An input of a graph, with its type where it is a tensor: the bodies of some functions depend on it."""
    if not isinstance(value, np.ndarray):
        return onnx.ValueInfoProto(name=name)
    return onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)


def _as_array(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, np.generic) else value
