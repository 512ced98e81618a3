"""A ReLU is part of the store of what it reads, where nothing else reads that: relu(f(x)) = f'(x), f' = relu ∘ f.

f is a convolution or a sum, which may have a ReLU already: relu ∘ relu = relu.
"""

from dataclasses import replace


def fuse_relus(graph):
    """The graph whose convolutions and sums have the ReLUs that followed them."""
    uses, nodes, renamed = graph.uses(), {}, {}
    for node in graph.nodes:
        node = replace(node, inputs=tuple(renamed.get(name, name) for name in node.inputs))
        nodes[node.name] = node
        if node.operation.kind == "relu":
            before = nodes.get(node.inputs[0])
            if before and uses[before.name] == 1 and before.operation.kind in ("conv2d", "add"):
                renamed[node.name] = before.name
                del nodes[node.name]
                nodes[before.name] = replace(before, operation=replace(before.operation, activation="relu"))
    return replace(graph, nodes=tuple(nodes.values()), output=renamed.get(graph.output, graph.output))
