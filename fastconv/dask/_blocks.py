"""Where blocks of a graph's results lie along an axis, and what each needs of the inputs: integers alone.

The pixels of a map after strides of 4 in all are 4 apart: that is its step. A block of the inputs begins at a multiple
of all steps, and of the tiles of all results: of `Axis.start`. Behind it a multiple of all steps is missing, of
`Axis.end`, or nothing. Then each map of the block is a part of the whole map, with the same padding at its ends,
however sizes are rounded: the graph runs on blocks as it is. What it computes where a block ends and the image does not
is wrong, and is dropped. `needed` tells how much of a map a part of a result depends on: so large must a block be.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, pairwise
from math import lcm

from fastconv._checks.types import Shape
from fastconv._graph.graph import Graph
from fastconv._graph.windows import Window, windows

Interval = tuple[int, int]  # [from, to)


@dataclass(frozen=True)
class Block:
    """A block along an axis: that of each input, and what to keep of each result of it."""

    inputs: tuple[Interval, ...]
    kept: tuple[Interval, ...]


@dataclass(frozen=True)
class Axis:
    """A graph along one axis: by the name of a map its size, step and tile, and the windows on what a node reads."""

    graph: Graph
    sizes: dict[str, int]
    steps: dict[str, int]
    tiles: dict[str, int]
    windows: dict[str, list[Window]]

    @property
    def end(self) -> int:
        return lcm(*self.steps.values())

    @property
    def start(self) -> int:
        return lcm(self.end, *(self.steps[name] * tile for name, tile in self.tiles.items()))

    def blocks(self, chunks: tuple[int, ...]) -> tuple[list[Block], list[tuple[int, ...]]]:
        """(the blocks, [the chunks of each result]) for these chunks of the first input.

        Their ends are moved to where tiles begin. Chunks shorter than what a block needs beside its own are joined.
        """
        graph, step = self.graph, self.steps[self.graph.inputs[0]]
        ends = min(self.sizes[name] * self.steps[name] for name in graph.outputs)
        cuts, shortest = [0], max(self.margin, 1)
        for end in accumulate(chunks[:-1]):
            cut = round(Fraction(end * step, self.start)) * self.start
            if cuts[-1] + shortest <= cut < ends:
                cuts.append(cut)
        bounds = {name: [*(cut // self.steps[name] for cut in cuts), self.sizes[name]] for name in graph.outputs}
        blocks = [self._block({name: (at[i], at[i + 1]) for name, at in bounds.items()}) for i in range(len(cuts))]
        lengths = [tuple(b - a for a, b in pairwise(at)) for at in bounds.values()]
        return blocks, lengths

    @property
    def margin(self) -> int:
        """How much a block of an endless image needs beside its own, at both ends together."""
        far = {name: 10**6 * self.start // step for name, step in self.steps.items()}
        endless = replace(self, sizes={name: 2 * at for name, at in far.items()})
        some = {name: (far[name], far[name] + self.start // self.steps[name]) for name in self.graph.outputs}
        return max((b - a) * self.steps[name] for name, (a, b) in endless.needed(some).items()) - self.start

    def _block(self, results: dict[str, Interval]) -> Block:
        """The block for these parts of the results."""
        needed = self.needed(results)
        first = min(a * self.steps[name] for name, (a, _) in needed.items()) // self.start * self.start
        after = min((self.sizes[name] - b) * self.steps[name] for name, (_, b) in needed.items())
        after = after // self.end * self.end
        inputs = ((self.sizes[name], self.steps[name]) for name in self.graph.inputs)
        begins = {name: first // self.steps[name] for name in results}
        kept = ((a - begins[name], b - begins[name]) for name, (a, b) in results.items())
        return Block(tuple((first // step, size - after // step) for size, step in inputs), tuple(kept))

    def needed(self, results: dict[str, Interval]) -> dict[str, Interval]:
        """{name: the part of a map}, inputs among them, that these parts of the results depend on, in whole tiles."""
        parts = dict(results)
        for node in reversed(self.graph.nodes):
            size, tile = self.sizes[node.name], self.tiles.get(node.name, 1)
            a, b = parts[node.name]
            a, b = parts[node.name] = a // tile * tile, min(-(-b // tile) * tile, size)
            for name, window in zip(node.inputs, self.windows[node.name], strict=True):
                first, end = a * window.step + window.first, (b - 1) * window.step + window.first + window.size
                first = min(max(first, 0), self.sizes[name] - 1)  # one pixel where all is padding
                end = min(max(end, first + 1), self.sizes[name])
                one, other = parts.get(name, (first, end))
                parts[name] = min(one, first), max(other, end)
        return parts


def axes(graph: Graph, shapes: dict[str, Shape], tiles: dict[str, int]) -> tuple[Axis, Axis]:
    """The graph along height and along width, for maps of these NHWC shapes."""
    found = {node.name: windows(node, "NHWC", *(shapes[name] for name in node.inputs)) for node in graph.nodes}
    both = []
    for axis in (0, 1):
        along = {name: [window[axis] for window in of] for name, of in found.items()}
        sizes = {name: shape[-3 + axis] for name, shape in shapes.items()}
        both.append(Axis(graph, sizes, _steps(graph, along), tiles, along))
    return both[0], both[1]


def _steps(graph: Graph, along: dict[str, list[Window]]) -> dict[str, int]:
    """{name: from a pixel of this map to the next}, in what the finest of them has as 1."""
    steps = {graph.inputs[0]: Fraction(1)}
    while len(steps) < len(graph.inputs) + len(graph.nodes):
        known = len(steps)
        for node in graph.nodes:
            for name, window in zip(node.inputs, along[node.name], strict=True):
                if name in steps:
                    step, other = steps.setdefault(node.name, steps[name] * window.step), steps[name] * window.step
                    if step != other:
                        raise ValueError(
                            f"{node.name} reads maps of other strides, {step} and {other}, whose pixels do not meet"
                        )
                elif node.name in steps:
                    steps[name] = steps[node.name] / window.step
        if len(steps) == known:  # what is left has nothing to do with the rest
            steps[next(name for name in graph.inputs if name not in steps)] = Fraction(1)
    scale = lcm(*(step.denominator for step in steps.values()))
    return {name: int(step * scale) for name, step in steps.items()}
