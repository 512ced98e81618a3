"""What gives its input is left out: identity(x) = x, and dropout(x) = x, whose mask and scale are for training alone.

Each result of a graph is an array of its own, so an identity stays that copies an input or another result to a result.
"""

from dataclasses import replace

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.operation import Operation


def drop_identities(graph: Graph) -> Graph:
    """The graph without identities, but for those that give a result which is another array too."""
    nodes, renamed, taken = list[Node](), dict[str, str](), {*graph.inputs, *graph.outputs}
    for node in graph.nodes:
        node = node.reading(renamed)
        if node.operation.kind not in ("identity", "dropout"):
            nodes.append(node)
        elif node.name in graph.outputs and node.inputs[0] in taken:
            nodes.append(replace(node, operation=Operation()))
        else:
            renamed[node.name] = node.inputs[0]
            if node.name in graph.outputs:
                taken.add(node.inputs[0])
    return graph.changed(nodes, renamed)
