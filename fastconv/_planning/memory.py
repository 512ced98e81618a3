"""Where every node of a graph reads and writes: an input, a result, or the plan's arena, by liveness."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType

from fastconv._checks.types import Shape
from fastconv._graph.graph import Graph
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.shaping import Flatten, joins_channels
from fastconv._planning.placement import Lifetime, largest_alive, place
from fastconv._runners.buffer_slice import ARENA, BufferSlice

MAX_HELD = 1.5  # times the bytes of the largest set of arrays alive at once
_CACHE_LINE = 64

Homes = dict[str, tuple[str, int]]  # name: (the node whose array its result is a part of, the value where it begins)


@dataclass(frozen=True, slots=True)
class Memory:
    """The `BufferSlice` of every node by name, and where the workspace of each step begins in the arena.

    `nbytes` are those of the arena, `alive_bytes` of the largest set of arrays alive at once.
    """

    slices: dict[str, BufferSlice]
    workspaces: dict[str, int]
    nbytes: int
    alive_bytes: int


def memory(
    graph: Graph,
    shapes: dict[str, Shape],
    itemsize: int,
    workspaces: Mapping[str, int] = MappingProxyType({}),
    overwriting: Collection[str] = (),
) -> Memory:
    """The `Memory` of a rewritten graph, for these NHWC shapes of its nodes, whose steps take workspaces of such bytes.

    A concatenation is an array that its inputs write, each its pixels, or its channels of every pixel; nothing else is
    done for it.
    Nodes that are `overwriting` can put their results where their residuals are.
    The steps share one workspace, which stays in the caches, where no more than MAX_HELD is held then; else each has
    its own among the arrays that are alive at that step.
    """
    homes = _homes(graph, shapes)
    _overwrite_residuals(graph, shapes, homes, overwriting)
    steps = {node.name: i for i, node in enumerate(graph.nodes)}
    first, last = dict[str, int](), _last_reads(graph, homes)
    for node in graph.nodes:
        first.setdefault(homes[node.name][0], steps[node.name])
    ends = {name: BufferSlice(i) for i, name in enumerate((*graph.inputs, *graph.outputs))}
    kept = [name for name in first if name not in ends]
    lifetimes = [Lifetime(_lines(prod(shapes[name]) * itemsize), first[name], last[name]) for name in kept]
    offsets, nbytes = place(lifetimes)
    alive, workspace = largest_alive(lifetimes), _lines(max(workspaces.values(), default=0))
    works = dict.fromkeys(workspaces, nbytes)
    if nbytes + workspace <= MAX_HELD * alive:
        nbytes += workspace
    elif workspace:
        own = [Lifetime(_lines(size), steps[name], steps[name]) for name, size in workspaces.items()]
        offsets, nbytes = place([*lifetimes, *own])
        works = dict(zip(workspaces, offsets[len(kept) :], strict=True))
    begins = dict(zip(kept, offsets, strict=False))
    slices = dict[str, BufferSlice]()
    for name, (home, at) in homes.items():
        _, height, width, channels = shapes[home]
        if home in ends:
            slices[name] = ends[home]._replace(offset=at * itemsize)
        else:
            image = height * width * (pixel := channels * itemsize)
            is_one = prod(shapes[name][1:3]) == 1  # steps may take the images of such for the pixels of one
            slices[name] = BufferSlice(ARENA, begins[home] + at * itemsize, image, image if is_one else pixel)
    return Memory(slices, works, nbytes, alive)


def _last_reads(graph: Graph, homes: Homes) -> dict[str, int]:
    """The last step that reads each array."""
    return {homes[name][0]: i for i, node in enumerate(graph.nodes) for name in node.inputs}


def _overwrite_residuals(graph: Graph, shapes: dict[str, Shape], homes: Homes, overwriting: Collection[str]) -> None:
    """Let those nodes write over their residuals, arrays of the arena that nothing reads later.

    Lines that come in for the sum need not come in again for its result.
    """
    last = _last_reads(graph, homes)
    for i, node in enumerate(graph.nodes):
        if node.name not in overwriting or homes[node.name] != (node.name, 0) or node.name in graph.outputs:
            continue
        (x, _), (home, channel) = (homes[name] for name in node.inputs)
        is_dead = last[home] == i and home not in (x, *graph.inputs, *graph.outputs)
        if is_dead and (shapes[home], channel) == (shapes[node.name], 0):
            homes.update({name: (home, at) for name, (own, at) in homes.items() if own == node.name})
            last[home] = last.get(node.name, i)


def _homes(graph: Graph, shapes: dict[str, Shape]) -> Homes:
    homes, same = {name: (name, 0) for name in graph.inputs}, views(graph) | _in_place(graph, shapes)
    for node in reversed(graph.nodes):
        home, at = homes.setdefault(node.name, (node.name, 0))
        if node.operation.kind == "concat":
            for name in node.inputs:
                homes[name] = home, at
                _, height, width, channels = shapes[name]
                at += channels if joins_channels(node.operation) else height * width * channels
    for node in graph.nodes:
        if node.name in same:
            homes[node.name] = homes[node.inputs[0]]
    return homes


def views(graph: Graph) -> set[str]:
    """The vectors that are their maps' arrays: those in the order of NHWC, which need not be written elsewhere."""
    flat = (node.name for node in graph.nodes if isinstance(node.operation, Flatten) and node.operation.order == "NHWC")
    return {*flat} - _written_elsewhere(graph)


def _in_place(graph: Graph, shapes: dict[str, Shape]) -> set[str]:
    """The functions of each value that overwrite their first input, an array of the arena that nothing else reads."""
    uses, fixed = graph.uses(), {*graph.inputs, *views(graph)}
    return {
        node.name
        for node in graph.nodes
        if isinstance(node.operation, Elementwise)
        and node.inputs[0] not in fixed
        and uses[node.inputs[0]] == 1
        and shapes[node.inputs[0]] == shapes[node.name]
    } - _written_elsewhere(graph)


def _written_elsewhere(graph: Graph) -> set[str]:
    """What is written into a result, or into a concatenation."""
    joined = (name for node in graph.nodes if node.operation.kind == "concat" for name in node.inputs)
    return {*graph.outputs, *joined}


def _lines(nbytes: int) -> int:
    """In whole cache lines."""
    return -(-nbytes // _CACHE_LINE) * _CACHE_LINE
