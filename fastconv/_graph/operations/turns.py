"""What puts the channels of several maps that stand side by side in turns."""

import numpy as np

from fastconv._checks.types import Layout
from fastconv._graph import in_numpy
from fastconv._graph.operations.operation import NHWC, Doubles
from fastconv._graph.operations.picks import Pick, Places, pixels


class InTurns(Pick):
    """The channels of so many parts in turns: the first of each, then the second of each, and so on."""

    kind = "in_turns"

    def __init__(self, parts: int) -> None:
        self.parts = parts

    def __str__(self) -> str:
        return f"{self.kind}({self.parts})"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [None], known[0]

    def places(self, x_shape: NHWC) -> Places:
        places, channels = pixels(x_shape, *map(np.arange, x_shape[1:3])), np.arange(x_shape[3])
        order = channels.reshape(self.parts, -1).T.ravel()
        return places._replace(columns=(places.columns[:, None] + order).ravel(), chunk=1)

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        x = in_numpy.nhwc(arrays[0], layout)
        y = x.reshape(*x.shape[:3], self.parts, -1).swapaxes(3, 4).reshape(x.shape)
        return in_numpy.from_nhwc(y, arrays[0].ndim, layout)
