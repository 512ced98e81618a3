"""Nodes in running order, and those that are needed."""

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from fastconv.onnx._program import Node, NodeError


def unique(nodes: list[Node]) -> list[Node]:
    """The nodes, checked to have outputs of their own."""
    computed: dict[str, Node] = {}
    for node in nodes:
        for name in filter(None, node.outputs):
            if name in computed:
                raise NodeError(f"{node}: its output {name!r} is that of {computed[name]} too")
            computed[name] = node
    return nodes


def in_order(nodes: list[Node], known: set[str]) -> list[Node]:
    """The nodes, each after those that it reads."""
    computed = {name for node in nodes for name in node.outputs if name}
    for node in nodes:
        for name in node.outputs:
            if name in known:
                raise NodeError(f"{node}: its output {name!r} is an input or initializer of the model too")
        for name in filter(None, node.inputs):
            if name not in known and name not in computed:
                raise NodeError(f"{node}: its input {name!r} is not there: nothing computes it")
    lacking = [{name for name in node.inputs if name and name not in known} for node in nodes]
    readers: dict[str, list[int]] = {name: [] for name in computed}
    for i, names in enumerate(lacking):
        for name in names:
            readers[name].append(i)
    ready, ordered = [i for i, names in enumerate(lacking) if not names], list[Node]()  # a heap: the file's order
    while ready:
        node = nodes[heappop(ready)]
        ordered.append(node)
        for name in filter(None, node.outputs):
            for i in readers[name]:
                lacking[i].remove(name)
                if not lacking[i]:
                    heappush(ready, i)
    for node, names in zip(nodes, lacking, strict=True):
        if names:
            raise NodeError(f"{node}: it reads what is made of its own result: the nodes form a cycle")
    return ordered


def needed(nodes: Sequence[Node], outputs: Iterable[str]) -> tuple[Node, ...]:
    """The nodes that the outputs need."""
    read, kept = set(outputs), list[Node]()
    for node in reversed(nodes):
        if not read.isdisjoint(node.outputs):
            read.update(node.inputs)
            kept.append(node)
    return tuple(kept[::-1])
