"""Attention as the products and the softmax that it stands for, which have code of fastconv's own."""

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np

from fastconv.onnx._program import Node

_TAKEN = "is_causal", "kv_num_heads", "q_num_heads", "qk_matmul_output_mode", "scale"  # attributes, in any case
_PLAIN = {"left_window_size": -1, "right_window_size": -1, "softcap": 0.0, "softmax_precision": None}  # in this one


def expanded(node: Node, known: Mapping[str, Any]) -> tuple[list[Node], dict[str, np.ndarray]] | None:
    """(nodes, their constants by name): softmax(scale · Q Kᵀ + bias) V of as many heads in all three, in arrays of
    four axes, or of three with the heads side by side. None of 16 bits, of what has a cache, a window, a soft cap,
    other results, or a mask that is no constant: the softmax of a row that leaves out all would be NaN, and not 0.
    """
    get = node.attributes
    inputs: list[Any] = [known[name] if name else None for name in node.inputs]
    is_plain = all(get.get(name) in (None, plain) for name, plain in _PLAIN.items()) and {*get} <= {*_PLAIN, *_TAKEN}
    if not is_plain or any(node.inputs[4:]) or any(node.outputs[1:]):
        return None
    query, key, value, mask = (*inputs, None)[:4]
    ranks, dtypes = {len(one.shape) for one in inputs[:3]}, {one.dtype for one in inputs[:3]}
    if ranks not in ({3}, {4}) or len(dtypes) > 1 or query.dtype not in (np.float32, np.float64):
        return None
    heads = query.shape[1] if ranks == {4} else get.get("q_num_heads")
    others = [key.shape[1], value.shape[1]] if ranks == {4} else [get.get("kv_num_heads")]
    bias = _bias(mask, bool(get.get("is_causal")), query.shape[-2], key.shape[-2])
    if not heads or any(other != heads for other in others) or bias is None or key.shape[-2] != value.shape[-2]:
        return None
    each = query.shape[-1] if ranks == {4} else query.shape[-1] // heads
    scale = 1 / sqrt(each) if get.get("scale") is None else get["scale"]
    return _Nodes(node).all(0 if ranks == {4} else heads, np.array(scale, query.dtype), bias.astype(query.dtype))


def _bias(mask: Any, is_causal: bool, rows: int, columns: int) -> np.ndarray | None:
    """What is added to the scores, where it is known and leaves something of each row."""
    if mask is not None and not isinstance(mask, np.ndarray):
        return None
    bias = np.zeros((1, columns)) if mask is None else np.where(mask, 0, -np.inf) if mask.dtype == bool else mask
    if bias.ndim < 2 or bias.shape[-1] != columns:  # the standard leaves out keys beyond a mask
        return None
    if is_causal:
        bias = bias + np.where(np.tri(rows, columns, dtype=bool), 0, -np.inf)
    return None if np.isneginf(bias.max(-1, initial=-np.inf)).any() else bias


class _Nodes:
    """The nodes in the making."""

    def __init__(self, node: Node) -> None:
        self._node, self._made = node, list[Node]()
        self._constants = dict[str, np.ndarray]()

    def all(self, heads: int, scale: np.ndarray, bias: np.ndarray) -> tuple[list[Node], dict[str, np.ndarray]]:
        """Of so many heads in an axis, or 0."""
        query, key, value = self._node.inputs[:3]
        if heads:
            query, key, value = (self._in_heads(name, heads) for name in (query, key, value))
        query = self._add("Mul", query, self._constant(scale))
        scores = self._add("MatMul", query, self._add("Transpose", key, perm=[0, 1, 3, 2]))
        if bias.any():
            scores = self._add("Add", scores, self._constant(bias))
        result = self._add("MatMul", self._add("Softmax", scores, axis=-1), value)
        if heads:
            turned = self._add("Transpose", result, perm=[0, 2, 1, 3])
            result = self._add("Reshape", turned, self._constant(np.array([0, 0, -1])), allowzero=0)
        self._made.append(self._node_of("Identity", (result,), self._node.outputs[:1], {}))
        return self._made, self._constants

    def _in_heads(self, name: str, heads: int) -> str:
        split = self._add("Reshape", name, self._constant(np.array([0, 0, heads, -1])), allowzero=0)
        return self._add("Transpose", split, perm=[0, 2, 1, 3])

    def _add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{self._node.outputs[0]} {kind} {len(self._made)}"
        self._made.append(self._node_of(kind, inputs, (name,), attributes))
        return name

    def _node_of(self, kind: str, inputs: tuple[str, ...], outputs: tuple[str, ...], attributes: Any) -> Node:
        return Node(self._node.label, kind, "", self._node.version, inputs, outputs, attributes)

    def _constant(self, array: np.ndarray) -> str:
        name = f"{self._node.outputs[0]} constant {len(self._constants)}"
        self._constants[name] = array
        return name
