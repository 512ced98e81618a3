"""What is done to a graph before it runs: pure functions, graph → graph, each with the equation that it rests on."""

from fastconv._graph.graph import Graph
from fastconv._graph.rewrites.activations import fuse_clips, fuse_functions, fuse_slopes
from fastconv._graph.rewrites.averages import order_averages
from fastconv._graph.rewrites.branches import merge_branches
from fastconv._graph.rewrites.concatenations import write_slices
from fastconv._graph.rewrites.identities import drop_identities
from fastconv._graph.rewrites.layouts import in_nhwc
from fastconv._graph.rewrites.lifts import lift_functions
from fastconv._graph.rewrites.multipliers import expand_multipliers
from fastconv._graph.rewrites.pads import merge_pads
from fastconv._graph.rewrites.scales import fold_scales
from fastconv._graph.rewrites.siblings import join_siblings
from fastconv._graph.rewrites.sums import fuse_sums
from fastconv._graph.rewrites.transposed import expand_transposed

# In this order: a scale between a convolution and a sum, and a sum between a convolution and a function, go first.
_REWRITES = (
    in_nhwc,
    drop_identities,
    expand_transposed,
    lift_functions,
    fold_scales,
    merge_branches,
    order_averages,
    fuse_sums,
    fuse_slopes,
    fuse_clips,
    fuse_functions,
    merge_pads,
    expand_multipliers,
    join_siblings,
    write_slices,
)


def rewritten(graph: Graph) -> Graph:
    """The graph that a plan runs."""
    for rewrite in _REWRITES:
        graph = rewrite(graph)
    return graph
