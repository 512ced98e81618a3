"""A ReLU is part of the store of what it reads, where nothing else reads that: relu(f(x)) = f'(x), f' = relu ∘ f.

f is a convolution or a sum, which may have a ReLU already: relu ∘ relu = relu.
"""

from dataclasses import replace

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.arithmetic import Add
from fastconv._graph.operations.conv import Conv


def fuse_relus(graph: Graph) -> Graph:
    """The graph whose convolutions and sums have the ReLUs that followed them."""
    uses, nodes, renamed = graph.uses(), dict[str, Node](), dict[str, str]()
    for node in graph.nodes:
        node = replace(node, inputs=tuple(renamed.get(name, name) for name in node.inputs))
        nodes[node.name] = node
        if node.operation.kind == "relu":
            before = nodes.get(node.inputs[0])
            if before and uses[before.name] == 1 and isinstance(before.operation, Conv | Add):
                renamed[node.name] = before.name
                del nodes[node.name]
                nodes[before.name] = replace(before, operation=before.operation.changed(activation="relu"))
    return replace(graph, nodes=tuple(nodes.values()), output=renamed.get(graph.output, graph.output))
