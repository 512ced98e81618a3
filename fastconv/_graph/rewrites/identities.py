"""What gives its input is left out: identity(x) = x, and dropout(x) = x, whose mask and scale are for training alone.

The result of a graph is an array of its own, so an identity of the input that is the output stays, as a copy.
"""

from dataclasses import replace

from fastconv._graph.graph import INPUT, Graph, Node
from fastconv._graph.operations.operation import Operation


def drop_identities(graph: Graph) -> Graph:
    """The graph without identities, but for one that copies the input to the output."""
    nodes, renamed = list[Node](), dict[str, str]()
    for node in graph.nodes:
        node = replace(node, inputs=tuple(renamed.get(name, name) for name in node.inputs))
        if node.operation.kind in ("identity", "dropout"):
            renamed[node.name] = node.inputs[0]
        else:
            nodes.append(node)
    output = renamed.get(graph.output, graph.output)
    if output == INPUT:
        return replace(graph, nodes=(Node(graph.output, Operation(), (INPUT,)),))
    return replace(graph, nodes=tuple(nodes), output=output)
