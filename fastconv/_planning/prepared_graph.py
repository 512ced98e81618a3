"""What runs a graph for one shape of each input: its steps, placed in memory, with no Python between them.

The arrays between the steps are kept for some images at a time.
"""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fastconv._checks.types import Layout, Shape
from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.operation import NHWC
from fastconv._planning.memory import memory, views
from fastconv._planning.prepared import Prepared
from fastconv._runners.buffer_slice import BufferSlice
from fastconv._runners.chain import Chain
from fastconv._runners.runner import Runner

if TYPE_CHECKING:
    from fastconv._planning.graph_plan import GraphPlan

# As many images at a time as keep the arrays between the steps within this, or within the bytes of the weights, which
# are read again each time.
_SCRATCH_BYTES = 8 * 2**20


class PreparedGraph:
    """A graph for NHWC inputs of these shapes, on arrays that are known to be right."""

    layout: Layout = "NHWC"

    def __init__(self, plan: "GraphPlan", given: list[NHWC]) -> None:
        graph, itemsize = plan._rewritten, plan._itemsize
        shapes, uses = graph.shapes(*given), graph.uses()
        self.shapes, self._batch = given, (batch := given[0][0])
        self._read = [i for i, name in enumerate(graph.outputs) if uses[name] > 1]
        one, weights = memory(graph, _with_batch(shapes, 1), itemsize), graph.params * itemsize
        self._max_images = max(1, max(_SCRATCH_BYTES, weights) // max(one.nbytes, 1))  # images at a time
        batches = {min(self._max_images, batch), batch % self._max_images} - {0}  # the rest are fewer
        self._chains = {images: PreparedChain(plan, _with_batch(shapes, images)) for images in batches}

    @property
    def at_once(self) -> "PreparedChain | None":
        """What runs all images of a call, unless they are taken in turns."""
        return self._chains.get(self._batch)

    @property
    def memory(self) -> tuple[int, int, int]:
        """(bytes of the arrays between the steps, of the largest set of them alive at once, and what the workspaces of
        the steps add) for the images of a turn.
        """
        known = (chain.memory for chain in self._chains.values())
        return max(known, key=lambda nbytes: nbytes[0] + nbytes[2], default=(0, 0, 0))

    def run(
        self, inputs: list[np.ndarray], outputs: list[tuple[np.ndarray, int]], times: np.ndarray | None = None
    ) -> None:
        """Write the results for the inputs to the outputs, pairs (array, bytes from a pixel of it to the next)."""
        for i in self._read:
            y, _ = outputs[i]
            if not y.flags.c_contiguous:  # steps read whole arrays
                whole = np.empty(y.shape, y.dtype)
                self.run(inputs, [*outputs[:i], (whole, y.shape[-1] * y.itemsize), *outputs[i + 1 :]], times)
                y[...] = whole
                return
        if self.at_once is not None:
            self.at_once.run(inputs, outputs, times)
            return
        for start in range(0, self._batch, self._max_images):
            turn = slice(start, min(start + self._max_images, self._batch))
            chain = self._chains[turn.stop - start]
            chain.run([x[turn] for x in inputs], [(y[turn], pixel) for y, pixel in outputs], times)


class PreparedChain(Prepared):
    """The steps one after the other, for these NHWC shapes of the nodes."""

    __slots__ = ("_memory", "_overwriting", "_steps")

    def __init__(self, plan: "GraphPlan", shapes: dict[str, Shape]) -> None:
        self._memory = partial(memory, plan._rewritten, shapes, plan._itemsize)
        self._steps = plan._bind_nodes(shapes)
        self._overwriting: set[str] = set()
        super().__init__(plan._num_threads, max(prepared.useful for _, prepared in self._steps))

    @property
    def memory(self) -> tuple[int, int, int]:
        """That of `PreparedGraph`."""
        arena = self.runner.memory
        arrays = self._memory(overwriting=self._overwriting)
        nbytes = min(arrays.nbytes, arena)  # what is placed is not the best: workspaces may do without more bytes
        return nbytes, arrays.alive_bytes, arena - nbytes

    def _bind(self, threads: int) -> Runner:
        runners = [(node, prepared.runner_for(threads)) for node, prepared in self._steps]
        summed = ((node.name, runner) for node, runner in runners if len(node.inputs) > 1)
        self._overwriting = {name for name, runner in summed if runner.overwrites}
        placed = self._memory({node.name: runner.memory for node, runner in runners}, self._overwriting)
        steps = list[tuple[Runner, BufferSlice, BufferSlice | None, BufferSlice, int]]()
        for node, runner in runners:
            x, *residual = [placed.slices[name] for name in node.inputs]
            out, workspace = placed.slices[node.name], placed.workspaces[node.name]
            steps.append((runner, x, residual[0] if residual else None, out, workspace))
        return Chain(steps, placed.nbytes)


def steps_of(graph: Graph) -> list[Node]:
    """The nodes that something runs for."""
    nothing = views(graph)
    return [node for node in graph.nodes if node.operation.kind != "concat" and node.name not in nothing]


def _with_batch(shapes: dict[str, Shape], images: int) -> dict[str, Shape]:
    """The same shapes for this number of images."""
    return {name: (images, *shape[1:]) for name, shape in shapes.items()}
