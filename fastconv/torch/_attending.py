"""Attention in a graph of aten's operators, as one step with the kernels that the ONNX door has for it.

Which nodes are one, `fastconv.onnx._fusion` tells. PyTorch has no product of stacks of several axes: before it an
axis is made of these.
"""

from collections.abc import Iterator, Mapping
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import fx

from fastconv._checks.types import Shape
from fastconv.onnx._attending import Attend
from fastconv.onnx._fusion import DOMAIN, MIN_ROWS, fused, resolved
from fastconv.onnx._program import Node
from fastconv.onnx._values import Tensor
from fastconv.torch._dtypes import FLOATS
from fastconv.torch._views import is_strided, strided

_aten = torch.ops.aten
_FUSED = _aten._scaled_dot_product_flash_attention_for_cpu.default
_VIEWS = _aten.view.default, _aten._unsafe_view.default
_SAME = _aten.clone.default, _aten.alias.default, _aten.detach.default
_RESHAPES = *_VIEWS, *_SAME, _aten.unsqueeze.default, _aten.squeeze.dim, _aten.squeeze.dims
_EXPAND = _aten.expand.default
_SOFTMAXES = _aten._softmax.default, _aten._safe_softmax.default
_ON_SCORES = {
    _aten.add.Tensor: "Add",
    **dict.fromkeys((_aten.mul.Tensor, _aten.mul.Scalar), "Mul"),
    **dict.fromkeys((_aten.div.Tensor, _aten.div.Scalar), "Div"),
}


class Attention(NamedTuple):
    """What is computed in the place of a node: `made` of queries, keys, values and biases, which other nodes give.

    Where all scores of a row are −∞, `is_safe` has zeros, as PyTorch's own operator has. `is_free` tells that nobody
    sees the strides of the result.
    """

    made: Node
    inputs: tuple[Any, ...]
    groups: int  # heads of queries for each of keys and values
    is_causal: bool
    is_safe: bool
    is_free: bool


def attentions(module: fx.GraphModule, fakes: Mapping[fx.Node, Any]) -> dict[fx.Node, Attention]:
    """{node: the attention whose result it is}."""
    found = {node: made for node in module.graph.nodes if node.target is _FUSED and (made := _fused(node, fakes))}
    if any(node.target in _SOFTMAXES for node in module.graph.nodes):
        found |= _Written(module, fakes).found()
    return found


def needed(module: fx.GraphModule, found: Mapping[fx.Node, Attention]) -> set[fx.Node]:
    """The nodes that are read where these attentions are computed as such."""
    read = set[fx.Node]()
    for node in reversed(module.graph.nodes):
        if node in read or node.op == "output":
            read.update(one for one in found[node].inputs if isinstance(one, fx.Node)) if node in found else ()
            read.update(() if node in found else node.all_input_nodes)
    return read


def _fused(node: fx.Node, fakes: Mapping[fx.Node, Any]) -> Attention | None:
    """What PyTorch's operator computes, whose second result nobody reads."""
    schema = node.target._schema.arguments
    given: dict[str, Any] = {
        one.name: node.args[i] if i < len(node.args) else one.default_value for i, one in enumerate(schema)
    }
    given.update(node.kwargs)
    given["scale"] = fakes.get(given["scale"], given["scale"])
    nodes, mask = [given[name] for name in ("query", "key", "value")], given["attn_mask"]
    q, k, v = (fakes[one] for one in nodes)
    bias = None if mask is None else fakes[mask]
    if any(user.args[1:] != (0,) for user in node.users) or q.dtype not in FLOATS:
        return None
    if len({one.dtype for one in (q, k, v)}) > 1 or (bias is not None and bias.dtype != q.dtype):
        return None
    batch, heads, rows, depth = q.shape
    groups = heads // k.shape[1] if k.shape[1] and heads % k.shape[1] == 0 else 0
    if rows < MIN_ROWS or 0 in (*q.shape, *k.shape, *v.shape) or not groups or k.shape[1] != v.shape[1]:
        return None
    if groups > 1 and bias is not None and len(bias.shape) > 2 and bias.shape[1] > 1:
        return None
    stack = (batch, k.shape[1], groups) if groups > 1 else (batch, heads)
    scores = *stack, rows, k.shape[2]
    n_biases = (mask is not None) + given["is_causal"]
    scale = 1 / sqrt(depth) if given["scale"] is None else given["scale"]
    made = _node(node.name, scale, (stack, stack), (scores,) * n_biases)
    inputs = *nodes, *(() if mask is None else (mask,))
    return Attention(made, inputs, groups, bool(given["is_causal"]), True, False) if scale else None


def _node(name: str, scale: float, stacks: tuple[Shape, Shape], biases: tuple[Shape, ...]) -> Node:
    attributes = {"scale": scale, "stacks": stacks, "biases": biases}
    return Node(name, "Attention", DOMAIN, 1, (), (name,), attributes)


class _Written:
    """The attentions of a graph that are written out, found among its nodes in the words of ONNX."""

    def __init__(self, module: fx.GraphModule, fakes: Mapping[fx.Node, Any]) -> None:
        self._nodes, self._fakes = module.graph.nodes, fakes
        self._by_name: dict[str, fx.Node] = {node.name: node for node in self._nodes}
        self._known: dict[str, Any] = {}
        self._last: dict[str, fx.Node] = {}  # {name of a product of stacks: the node that gives it}

    def found(self) -> dict[fx.Node, Attention]:
        """{the last node of each: it}."""
        for name, node in self._by_name.items():
            fake = self._fakes.get(node)
            if isinstance(fake, torch.Tensor):
                self._known[name] = Tensor(name, tuple(fake.shape), FLOATS.get(fake.dtype, np.dtype(object)))
            elif isinstance(fake, int | float):
                self._known[name] = fake
        outputs = [one.name for node in self._nodes if node.op == "output" for one in node.all_input_nodes]
        nodes = _alive([one for node in self._nodes for one in self._in_onnx(node)], outputs)
        found = dict[fx.Node, Attention]()
        for group in fused(nodes, outputs):
            parts = resolved(group, self._known)
            if parts and (more := resolved(parts[-1], self._known)):  # a scale that is no number stays before it
                parts = more
            if len(parts) == 1:
                last = self._last[group.outputs[0]]
                names = {name for one in group.attributes["nodes"] for name in one.outputs}
                is_safe = any(
                    self._by_name[name].target is _aten._safe_softmax.default for name in names & {*self._by_name}
                )
                inputs = tuple(self._by_name[name] for name in parts[0].inputs)
                found[last] = Attention(parts[0], inputs, 1, False, is_safe, _is_free(last))
        return found

    def _in_onnx(self, node: fx.Node) -> Iterator[Node]:
        """A node in the words of ONNX, of which nothing else matters than what becomes of scores."""
        inputs = tuple(one.name for one in node.all_input_nodes)
        if node.target is _aten.bmm.default:
            yield from self._product(node)
        elif node.target in _SOFTMAXES and (len(node.args) < 3 or not node.args[2]):
            yield self._made("Softmax", inputs, node.name, axis=node.args[1])
        elif node.target in _ON_SCORES and not node.kwargs:
            yield self._made(_ON_SCORES[node.target], tuple(map(self._named, node.args)), node.name)
        elif node.target in _RESHAPES:
            yield self._reshape(inputs[0], node)
        else:
            yield Node(node.name, "", "aten", 1, inputs, (node.name,), {})

    def _product(self, node: fx.Node) -> Iterator[Node]:
        """A product of stacks, as one of what they were made of where both had the same axes."""
        (x, first), (y, second) = (self._stack(one) for one in node.args)
        if first != second:
            self._last[node.name] = node
            yield self._made("MatMul", tuple(one.name for one in node.all_input_nodes), node.name)
            return
        name, shape = f"{node.name} as a stack", (*first, *self._fakes[node].shape[1:])
        user = next(iter(node.users)) if len(node.users) == 1 else node
        is_back = user.target in _VIEWS and tuple(self._fakes[user].shape) == shape
        self._last[name] = user if is_back else node
        yield self._made("MatMul", (x.name, y.name), name)
        yield self._reshape(name, node)

    def _stack(self, node: Any) -> tuple[Any, Shape]:
        """(what an operand of a product was made of, the axes of its stack in the end)."""
        while node.target in (*_VIEWS, *_SAME) and self._keeps_matrices(node):
            node = node.args[0]
        stack = tuple(self._fakes[node].shape[:-2])
        while node.target in (_EXPAND, *_SAME) and self._keeps_matrices(node):
            node = node.args[0]
        return node, stack

    def _keeps_matrices(self, node: fx.Node) -> bool:
        before, after = (self._fakes[one].shape for one in (node.args[0], node))
        return len(before) > 1 and before[-2:] == after[-2:] and len(before) >= len(after)

    def _reshape(self, name: str, node: fx.Node) -> Node:
        shape = f"shape of {node.name}"
        self._known[shape] = np.array(self._fakes[node].shape)
        return self._made("Reshape", (name, shape), node.name, allowzero=1)

    def _named(self, given: Any) -> str:
        """The name of an argument, which may be a number."""
        if isinstance(given, fx.Node):
            return given.name
        name = f"number {given!r}"
        self._known[name] = given
        return name

    def _made(self, kind: str, inputs: tuple[str, ...], output: str, **attributes: Any) -> Node:
        numbers = [name for name in inputs if isinstance(self._known.get(name), int | float)]
        beside = next((one for name in inputs if isinstance(one := self._known.get(name), Tensor)), None)
        for name in numbers:  # of the dtype of what it is beside
            dtype = np.dtype(float) if beside is None else beside.dtype
            self._known[f"{name} {dtype}"] = np.array(self._known[name], dtype)
        inputs = tuple(f"{name} {beside.dtype}" if name in numbers and beside else name for name in inputs)
        return Node(output, kind, "", 1, inputs, (output,), attributes)


def _alive(nodes: list[Node], outputs: list[str]) -> list[Node]:
    """Those that are read."""
    read, kept = {*outputs}, list[Node]()
    for node in reversed(nodes):
        if not read.isdisjoint(node.outputs):
            read.update(node.inputs)
            kept.append(node)
    return kept[::-1]


def _is_free(node: fx.Node) -> bool:
    """Whether a copy hides the strides of a result."""
    while len(node.users) == 1:
        (node,) = node.users
        if node.target is _aten.clone.default:
            return True
        if node.target not in (*_VIEWS, _aten.transpose.int, _aten.permute.default):
            break
    return False


class Attending:
    """Computes an attention, called with the tensors of a run; its result has the strides of `like`, or any.

    Where that lies in memory as an array of shape `sizes`, (images, rows, heads, values), there is another result,
    which is the same with the shape `rows`, (images, rows, values of all heads).
    """

    def __init__(self, attention: Attention, num_threads: int | None, like: torch.Tensor) -> None:
        self._attention, self._attend = attention, Attend(num_threads)
        self._shape, self._strides = tuple(like.shape), None if attention.is_free else like.stride()
        images, heads, rows, values = self._shape if len(self._shape) == 4 else (0, 0, 0, 0)
        self.sizes, self.rows = (images, rows, heads, values), (images, rows, heads * values)
        natural = like.new_empty(self.sizes).transpose(1, 2)
        lies_in_rows = self._strides is None or is_strided(natural, self._strides)
        self.is_in_rows = len(attention.made.attributes["stacks"][1]) == 2 and lies_in_rows
        *_, rows, columns = attention.made.attributes["biases"][0] if attention.is_causal else (0, 0)
        self._hidden = np.where(np.tri(rows, columns, dtype=bool), 0, -np.inf).astype(FLOATS[like.dtype])

    def __call__(self, *given: torch.Tensor) -> list[torch.Tensor]:
        q, k, v, *biases = (one.numpy(force=True) for one in given)
        attention = self._attention
        if attention.made.inputs == ():  # PyTorch's own operator has the keys in rows
            k = k.swapaxes(-1, -2)
        if attention.groups > 1:
            q = q.reshape(len(q), -1, attention.groups, *q.shape[2:])
            k, v = k[:, :, None], v[:, :, None]
            biases = [one[:, :, None] if one.ndim > 2 else one for one in biases]
        biases += [self._hidden] if attention.is_causal else []
        (y,) = self._attend(attention.made, q, k, v, *biases)
        with np.errstate(invalid="ignore", over="ignore"):  # of values that are infinite, or add up to more
            total = y.sum() if attention.is_safe else 0
            if np.isnan(total):
                self._put_zeros(y, q, k, v, biases)
        result = torch.from_numpy(y).reshape(self._shape)
        if self._strides is not None:
            result = strided(result, self._strides)
        return [result, result.transpose(1, 2).reshape(self.rows)] if self.is_in_rows else [result]

    def _put_zeros(self, y: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, biases: list[np.ndarray]) -> None:
        """Put what shares of 0 give where a row is NaN because its scores are all −∞."""
        attributes = self._attention.made.attributes
        given = (q, k * attributes["scale"], v, *biases)  # scaled as the kernels do it, whose products overflow alike
        queries, keys, values, *others = (torch.from_numpy(np.ascontiguousarray(one)) for one in given)
        scores = queries @ keys
        for bias, shape in zip(others, attributes["biases"], strict=True):
            scores = scores.reshape(shape) + bias
        scores = scores.reshape(*attributes["stacks"][1], *scores.shape[-2:])
        result, nothing = torch.from_numpy(y), (0 * values).sum(-2, keepdim=True)  # NaN of what is not finite
        is_nothing = (scores == -torch.inf).all(-1, keepdim=True) & result.isnan()
        result.copy_(torch.where(is_nothing, nothing, result))
