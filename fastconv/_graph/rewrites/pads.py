"""Zeros around a map are the padding of what reads it: f(pad(x, p), padding=q) = f(x, padding=p + q).

f is a convolution, or an average that counts its padding: both add the same zeros. It may be a maximum where x is
nowhere negative, so that a zero changes none. A pool takes less padding than its kernel has pixels, hence each of its
windows holds some of x. Which windows `ceil_mode` leaves out depends on what is padding, so such a pool stays. BLAS
and fast inner products pad nothing.
"""

from dataclasses import replace

from fastconv._checks import activations
from fastconv._checks.types import Sides
from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.picks import Pad
from fastconv._graph.operations.pools import Pool
from fastconv._graph.rewrites.neighbours import replace_neighbours


def merge_pads(graph: Graph) -> Graph:
    """The graph whose convolutions and pools pad what they read, where nothing else reads it padded."""
    positive = {node.name for node in graph.nodes if activations.bounds(node.operation.activation)[0] >= 0}

    def taken(before: Node, node: Node) -> list[Node]:
        pad = before.operation
        if not isinstance(pad, Pad) or pad.mode != "constant" or pad.value != 0:
            return []
        operation = _padded(node.operation, pad.padding, before.inputs[0] in positive)
        inputs = *before.inputs, *node.inputs[1:]
        return [replace(node, operation=operation, inputs=inputs)] if operation else []

    return replace_neighbours(graph, taken)


def _padded(operation: Operation, sides: Sides, is_positive: bool) -> Operation | None:
    """The operation with these sides added to its padding; None where it would be another."""
    if not isinstance(operation, Conv | Pool) or operation.geometry is None or operation.geometry.padding == "same":
        return None
    if isinstance(operation, Conv) and operation.algorithm in ("blas", "fip"):
        return None
    (top, bottom), (left, right) = operation.geometry.padding
    (more_top, more_bottom), (more_left, more_right) = sides
    padding = (top + more_top, bottom + more_bottom), (left + more_left, right + more_right)
    if isinstance(operation, Pool):
        height, width = operation.geometry.kernel
        fits = max(padding[0]) < height and max(padding[1]) < width and not operation.geometry.ceil_mode
        if not fits or not (operation.geometry.count_include_pad if operation.combine == "avg" else is_positive):
            return None
    return operation.changed(geometry=operation.geometry._replace(padding=padding))
