"""A sum is the residual of a convolution: conv(x) + b = conv(x, residual=b).

The sum of the bias is rounded before b is added either way, and a + b = b + a in floating point too. The convolution
must be linear and without a residual, and nothing else may read it. It runs where the sum stood, after b is there.
"""

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Add


def fuse_sums(graph: Graph) -> Graph:
    """The graph with every sum that can be one as the residual of its first, else its second convolution."""
    uses, nodes, renamed = graph.uses(), dict[str, Node](), dict[str, str]()
    for node in graph.nodes:
        node = node.reading(renamed)
        if isinstance(node.operation, Add):
            first, second = node.inputs
            for name, other in ((first, second), (second, first)):
                conv = nodes.get(name)
                if conv and uses[name] == 1 and _is_linear(conv):
                    renamed[node.name] = name
                    del nodes[name]
                    node = Node(name, conv.operation, (*conv.inputs, other))
                    break
        nodes[node.name] = node
    return graph.changed(nodes.values(), renamed)


def _is_linear(node: Node) -> bool:
    return isinstance(node.operation, Conv) and node.operation.activation is None and len(node.inputs) == 1
