"""A graph in layout NCHW computes the same values on NHWC arrays, which the kernels read: y[n,k,p,q] = y'[n,p,q,k]."""

from dataclasses import replace

from fastconv._graph.graph import Graph


def in_nhwc(graph: Graph) -> Graph:
    """The same graph on NHWC arrays."""
    if graph.layout == "NHWC":
        return graph
    nodes = tuple(replace(node, operation=node.operation.in_nhwc()) for node in graph.nodes)
    return replace(graph, nodes=nodes, layout="NHWC")
