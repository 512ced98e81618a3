"""What 1×1 convolutions save: those that reduce or restore the channels around larger convolutions.

A k×k that reads R channels instead of C costs R/C of its multiply-accumulates; one that gives R instead of K costs R/K.
What it would cost without the 1×1 beside it follows, and its time is estimated at the speed that it has with it.
Functions of each value between them, such as activations that are nodes of their own, are looked through.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._planning.profile import StepProfile


@dataclass(frozen=True, slots=True)
class Pointwise:
    """A 1×1 convolution beside larger ones.

    Attributes
    ----------
    name : str
        Of its step.
    role : str
        Such as "reduces 256 to 64" or "restores 64 to 256".
    around : tuple of str
        The steps that read it, of which at least one is larger than 1×1, or the larger one that it reads.
    macs, macs_without : int
        Of it and of `around`; of `around` alone, if that had all the channels.
    milliseconds, milliseconds_without : float
        The same for the time, the latter estimated.
    """

    name: str
    role: str
    around: tuple[str, ...]
    macs: int
    macs_without: int
    milliseconds: float
    milliseconds_without: float


def pointwise(graph: Graph, steps: Sequence[StepProfile]) -> Iterator[Pointwise]:
    """Each 1×1 convolution of a graph, whose steps took these times, that has larger ones beside it."""
    graph = _without_functions(graph)
    by_name = {node.name: node for node in graph.nodes}
    timed = {step.name: step for step in steps}
    for node in graph.nodes:
        if not _is_pointwise(node) or node.name not in timed:
            continue
        channels, outputs = _channels(node)
        readers = [other for other in graph.nodes if node.name in other.inputs]
        source = by_name.get(node.inputs[0])
        is_only = graph.uses()[node.inputs[0]] == 1
        if outputs < channels and readers and any(map(_is_larger, readers)) and all(map(_is_dense, readers)):
            role, around, factor = f"reduces {channels} to {outputs}", readers, channels / outputs
        elif outputs > channels and source is not None and _is_larger(source) and is_only:
            role, around, factor = f"restores {channels} to {outputs}", [source], outputs / channels
        else:
            continue
        beside = [timed[other.name] for other in around if other.name in timed]
        macs, milliseconds = (sum(getattr(one, name) for one in beside) for name in ("macs", "milliseconds"))
        own = timed[node.name]
        yield Pointwise(
            node.name,
            role,
            tuple(one.name for one in beside),
            own.macs + macs,
            round(macs * factor),
            own.milliseconds + milliseconds,
            milliseconds * factor,
        )


def _without_functions(graph: Graph) -> Graph:
    """The graph whose nodes read what functions of each value read, in the place of their results."""
    nodes, renamed = list[Node](), dict[str, str]()
    for node in graph.nodes:
        node = node.reading(renamed)
        if isinstance(node.operation, Elementwise) and len(node.inputs) == 1:
            renamed[node.name] = node.inputs[0]
        else:
            nodes.append(node)
    return graph.changed(nodes, renamed)


def _is_dense(node: Node) -> bool:
    return isinstance(node.operation, Conv) and node.operation.geometry.groups == 1


def _is_pointwise(node: Node) -> bool:
    return _is_dense(node) and node.operation.kind == "conv2d" and _kernel(node) == (1, 1)


def _is_larger(node: Node) -> bool:
    return _is_dense(node) and _kernel(node) != (1, 1)


def _kernel(node: Node) -> tuple[int, int]:
    conv = node.operation
    assert isinstance(conv, Conv)
    return conv.geometry.weight[0], conv.geometry.weight[1]


def _channels(node: Node) -> tuple[int, int]:
    conv = node.operation
    assert isinstance(conv, Conv)
    return conv.geometry.weight[2], conv.geometry.weight[3]
