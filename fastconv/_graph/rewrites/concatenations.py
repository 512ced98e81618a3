"""A concatenation moves nothing where its inputs are written side by side: y[..., a:b] = f(x) for each of them.

That takes an input which is computed, and which the concatenation alone reads, once: others read whole arrays. Any
other input is copied first, y[..., a:b] = copy(z), and the copy is such an input.
"""

from dataclasses import replace

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.operation import Operation


def write_slices(graph: Graph) -> Graph:
    """The graph whose concatenations alone read their inputs, so that a plan can write these in their places."""
    uses, nodes = graph.uses(), list[Node]()
    for node in graph.nodes:
        if node.operation.kind == "concat":
            inputs = []
            for i, source in enumerate(node.inputs):
                if source in graph.inputs or uses[source] > 1:
                    copy = graph.unused(f"{node.name}.copy{i}")
                    nodes.append(Node(copy, Operation(), (source,)))
                    source = copy
                inputs.append(source)
            node = replace(node, inputs=tuple(inputs))
        nodes.append(node)
    return graph.changed(nodes)
