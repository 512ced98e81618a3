"""Nodes of a file, those of the branches of an If too, which may read what is computed outside.

Branches have names of their own: one that is there already, outside or in another branch, becomes another.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import onnx

from fastconv.onnx import _tensors
from fastconv.onnx._ordering import in_order, needed, unique
from fastconv.onnx._program import Branch, Node
from fastconv.onnx._schemas import attributes_of, schema_of

_BRANCHES = ("then_branch", "else_branch")


class Reader:
    """Reads the nodes of a graph; `constants` gets the initializers of branches."""

    def __init__(self, opsets: Mapping[str, int], folder: str | None, constants: dict[str, Any]) -> None:
        self._opsets, self._folder, self._constants = opsets, folder, constants
        self._taken = set[str]()

    def nodes(self, protos: Iterable[onnx.NodeProto], known: set[str]) -> list[Node]:
        """The nodes of a graph whose inputs and initializers are `known`."""
        protos = list(protos)
        names = {*known, *(name for proto in protos for name in proto.output)}
        self._taken |= names
        return self._nodes(protos, {name: name for name in names})

    def _nodes(self, protos: Iterable[onnx.NodeProto], names: Mapping[str, str]) -> list[Node]:
        """Those whose values have these names outside of the file."""
        nodes = []
        for i, proto in enumerate(protos):
            domain = proto.domain if proto.domain != "ai.onnx" else ""
            label = proto.name or next(filter(None, proto.output), f"number {i}")
            proto = _renamed(proto, names)
            inputs, outputs = tuple(proto.input), tuple(proto.output)
            node = Node(label, proto.op_type, domain, self._opsets.get(domain, 0), inputs, outputs, {}, proto)
            with node.named():
                attributes = attributes_of(proto, schema_of(node), self._folder)
                inputs = _without_ends(inputs)
                if node.kind == "If":
                    branches = {name: self._branch(proto, attributes[name], names) for name in _BRANCHES}
                    attributes |= branches
                    inputs += tuple(dict.fromkeys(name for one in branches.values() for name in one.reads))
            nodes.append(Node(label, node.kind, domain, node.version, inputs, outputs, attributes, proto))
        return nodes

    def _branch(self, proto: onnx.NodeProto, graph: onnx.GraphProto, outside: Mapping[str, str]) -> Branch:
        if len(graph.output) != len(proto.output) or graph.input:
            raise ValueError(
                f"its branches must have no inputs and {len(proto.output)} outputs, got {len(graph.input)} and "
                f"{len(graph.output)}"
            )
        own = dict[str, str]()
        for tensor in graph.initializer:
            own[tensor.name] = self._unused(tensor.name)
            self._constants[own[tensor.name]] = _tensors.dense(tensor, f"initializer {tensor.name!r}", self._folder)
        for sparse in graph.sparse_initializer:
            own[sparse.values.name] = name = self._unused(sparse.values.name)
            self._constants[name] = _tensors.from_sparse(sparse, f"initializer {sparse.values.name!r}", self._folder)
        own |= {name: self._unused(name) for one in graph.node for name in one.output if name}
        names = {**outside, **own}
        for info in graph.output:
            if info.name not in names:
                raise ValueError(f"output {info.name!r} of a branch is not computed by any node")
        outputs = tuple(names[info.name] for info in graph.output)
        inside, known = {*own.values()}, {*outside.values(), *(own[name] for name in _initializers(graph))}
        nodes = needed(in_order(unique(self._nodes(graph.node, names)), known), outputs)
        read = dict.fromkeys([*(name for node in nodes for name in node.inputs if name), *outputs])
        return Branch(nodes, outputs, tuple(name for name in read if name not in inside))

    def _unused(self, name: str) -> str:
        unused, i = name, 1
        while unused in self._taken:
            unused, i = f"{name}'{i}", i + 1
        self._taken.add(unused)
        return unused


def _initializers(graph: onnx.GraphProto) -> list[str]:
    return [one.name for one in graph.initializer] + [one.values.name for one in graph.sparse_initializer]


def _renamed(proto: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
    """A node with other names of values, itself where they are the same."""
    inputs, outputs = ([names.get(name, name) for name in given] for given in (proto.input, proto.output))
    if inputs == [*proto.input] and outputs == [*proto.output]:
        return proto
    other = onnx.NodeProto()
    other.CopyFrom(proto)
    other.input[:], other.output[:] = inputs, outputs
    return other


def _without_ends(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names without those at the end that are left out."""
    while names and not names[-1]:
        names = names[:-1]
    return names
