"""What most rewrites do: two nodes, of which the second alone reads the first, become others that compute the same."""

from collections.abc import Callable, Sequence

from fastconv._graph.graph import Graph, Node


def replace_neighbours(graph: Graph, taken: Callable[[Node, Node], Sequence[Node]]) -> Graph:
    """The graph in which the nodes `taken(before, node)` stand for a node and its first input, if there are any.

    They stand where the node stood. The last of them gives its result.
    """
    uses, nodes, renamed = graph.uses(), dict[str, Node](), dict[str, str]()
    for node in graph.nodes:
        nodes[node.name] = node = node.reading(renamed)
        before = nodes.get(node.inputs[0])
        others = taken(before, node) if before and uses[before.name] == 1 else ()
        if before and others:
            del nodes[before.name], nodes[node.name]
            nodes.update((other.name, other) for other in others)
            last = others[-1].name
            renamed[node.name], uses[last] = last, uses[node.name]
    return graph.changed(nodes.values(), renamed)
