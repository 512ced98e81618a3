"""What is done to a graph before it runs: pure functions, graph → graph, each with the equation that it rests on."""

from fastconv._graph.graph import Graph
from fastconv._graph.rewrites.activations import fuse_clips
from fastconv._graph.rewrites.concatenations import write_slices
from fastconv._graph.rewrites.identities import drop_identities
from fastconv._graph.rewrites.layouts import in_nhwc
from fastconv._graph.rewrites.pads import merge_pads
from fastconv._graph.rewrites.sums import fuse_sums


def rewritten(graph: Graph) -> Graph:
    """The graph that a plan runs, in this order: a clip is fused into a convolution that has its sum."""
    for rewrite in (in_nhwc, drop_identities, fuse_sums, fuse_clips, merge_pads, write_slices):
        graph = rewrite(graph)
    return graph
