"""Where every node of a graph reads and writes: an input, a result, or the plan's arena, by liveness."""

from dataclasses import dataclass
from math import prod

from fastconv._checks.types import Shape
from fastconv._graph.graph import Graph
from fastconv._graph.operations.shaping import Flatten
from fastconv._planning.placement import Lifetime, largest_alive, place
from fastconv._runners.place import ARENA, Place

_CACHE_LINE = 64


@dataclass(frozen=True, slots=True)
class Memory:
    """The `Place` of every node by name, the bytes of the arena, and of the largest set of arrays alive at once."""

    places: dict[str, Place]
    nbytes: int
    alive_bytes: int


def memory(graph: Graph, shapes: dict[str, Shape], itemsize: int) -> Memory:
    """The `Memory` of a rewritten graph, for these NHWC shapes of its nodes.

    A concatenation is an array that its inputs write, each its channels of every pixel; nothing else is done for it.
    """
    homes = _homes(graph, shapes)
    steps = {node.name: i for i, node in enumerate(graph.nodes)}
    first, last = dict[str, int](), dict[str, int]()
    for node in graph.nodes:
        for name in node.inputs:
            last[homes[name][0]] = steps[node.name]
        first.setdefault(homes[node.name][0], steps[node.name])
    ends = {name: Place(i) for i, name in enumerate((*graph.inputs, *graph.outputs))}
    kept = [name for name in first if name not in ends]
    lifetimes = [Lifetime(_lines(prod(shapes[name]) * itemsize), first[name], last[name]) for name in kept]
    offsets, nbytes = place(lifetimes)
    begins = dict(zip(kept, offsets, strict=True))
    places = dict[str, Place]()
    for name, (home, channel) in homes.items():
        _, height, width, channels = shapes[home]
        if home in ends:
            places[name] = ends[home]._replace(offset=channel * itemsize)
        else:
            pixel = channels * itemsize
            places[name] = Place(ARENA, begins[home] + channel * itemsize, height * width * pixel, pixel)
    return Memory(places, nbytes, largest_alive(lifetimes))


def _homes(graph: Graph, shapes: dict[str, Shape]) -> dict[str, tuple[str, int]]:
    """{name: (the node whose array its result is a part of, the channel of it where it begins)}."""
    homes, nothing = {name: (name, 0) for name in graph.inputs}, views(graph)
    for node in reversed(graph.nodes):
        home, channel = homes.setdefault(node.name, (node.name, 0))
        if node.operation.kind == "concat":
            for name in node.inputs:
                homes[name] = home, channel
                channel += shapes[name][3]
    for node in graph.nodes:
        if node.name in nothing:
            homes[node.name] = homes[node.inputs[0]]
    return homes


def views(graph: Graph) -> set[str]:
    """The vectors that are their maps' arrays: those in the order of NHWC, which need not be written elsewhere."""
    joined = (name for node in graph.nodes if node.operation.kind == "concat" for name in node.inputs)
    written = {*graph.outputs, *joined}
    flat = (node.name for node in graph.nodes if isinstance(node.operation, Flatten) and node.operation.order == "NHWC")
    return {*flat} - written


def _lines(nbytes: int) -> int:
    """In whole cache lines."""
    return -(-nbytes // _CACHE_LINE) * _CACHE_LINE
