"""A concatenation moves nothing where its inputs are written side by side: y[..., a:b] = f(x) for each of them.

That takes an input which is computed, and which the concatenation alone reads, once: others read whole arrays. Any
other input is copied first, y[..., a:b] = copy(z), and the copy is such an input.

Rows and pixels are joined in an array of the plan's own, where it is known how far a pixel is from the next: what is a
result, or is written to channels of another, is a copy of it.
"""

from dataclasses import replace

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.shaping import joins_channels


def write_slices(graph: Graph) -> Graph:
    """The graph whose concatenations alone read their inputs, so that a plan can write these in their places."""
    uses, nodes, whole = graph.uses(), list[Node](), set[str]()
    for node in graph.nodes:
        if node.operation.kind == "concat":
            inputs = []
            for i, source in enumerate(node.inputs):
                if source in graph.inputs or uses[source] > 1 or source in whole:
                    copy = graph.unused(f"{node.name}.copy{i}")
                    nodes.append(Node(copy, Operation(), (source,)))
                    source = copy
                inputs.append(source)
            node = replace(node, inputs=tuple(inputs))
            if not joins_channels(node.operation):
                whole.add(node.name)
                if node.name in graph.outputs:
                    nodes.append(replace(node, name=graph.unused(f"{node.name}.whole")))
                    node = Node(node.name, Operation(), (nodes[-1].name,))
        nodes.append(node)
    return graph.changed(nodes)
