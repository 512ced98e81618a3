"""Maps in shapes and orders that no names of axes tell, such as groups of channels: a step by NumPy makes an array of
one where another reads it, and functions of each value, norms of groups and what makes a map of it again need none.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks.types import Layout, Shape
from fastconv._graph.operations.picks import Rearrange
from fastconv.onnx._program import Node
from fastconv.onnx._steps import NodeStep
from fastconv.onnx._values import Map, Tensor, map_shape

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding

# Functions of each value, of one input but for constants of one value.
_FUNCTIONS = (
    *("Abs", "Add", "Celu", "Clip", "Div", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Log"),
    *("Max", "Min", "Mish", "Mul", "Neg", "Pow", "Reciprocal", "Relu", "Selu", "Sigmoid", "Softplus", "Sqrt", "Sub"),
    *("Swish", "Tanh"),
)


@dataclass(frozen=True, slots=True, eq=False)
class View(Tensor):
    """The tensor of a map of a segment in the shape `sizes`, whose axes are then put in `order`, as `node` gives it."""

    node: Any = None
    base: Any = None
    sizes: Shape = ()
    order: Shape = ()

    @property
    def is_in_order(self) -> bool:
        return self.order == tuple(range(len(self.order)))

    def evaluate(self, node: Node, x: np.ndarray) -> list[np.ndarray]:
        """What the step that makes an array of it computes."""
        return [x.reshape(self.sizes).transpose(self.order)]

    def step(self, name: str) -> NodeStep:
        """That step, which reads the base by this name."""
        made = replace(self.node, kind="Reshape" if self.is_in_order else "Transpose", outputs=(self.name,))
        return NodeStep(made, "NumPy", self.evaluate, [name], self.level)


def view(node: Node, base: Map, sizes: Shape, order: Shape | None = None) -> View:
    """The result of a node."""
    order = tuple(range(len(sizes))) if order is None else order
    shape = tuple(sizes[axis] for axis in order)
    return View(node.outputs[0], shape, base.dtype, base.level, node, base, sizes, order)


def reordered(bind: "Binding", node: Node, x: View, shape: Shape) -> Map | None:
    """What is not in the order of its map in another shape, as a map, such as a shuffle of channels.

    Where the values are as they lie in the memory of the map it is none: NumPy has them without a copy.
    """
    base, axes = x.base, x.base.axes
    is_batch_kept = x.order[0] == 0 and base.nhwc[0] == x.sizes[0] == shape[0]
    if len(axes) != len(shape) or len(shape) < 3 or not is_batch_kept or 0 in shape:
        return None
    layout: Layout = "NHWC" if axes.endswith("C") else "NCHW"
    image, order = map_shape(shape, axes)[1:], tuple(axis - 1 for axis in x.order[1:])
    operation = Rearrange(layout, x.sizes[1:], order, image)
    places = operation.found(base.nhwc)
    if places is None or places.are_all_in_order:
        return None
    return bind.add(node, operation, base)


def function(bind: "Binding", node: Node, translate: Any, inputs: list[Any]) -> View | None:
    """A function of each value of a view, which is that of each value of its map."""
    views = [one for one in inputs if isinstance(one, View)]
    others = [one for one in inputs if one is not None and not isinstance(one, View)]
    if node.kind not in _FUNCTIONS or len(views) != 1:
        return None
    (x,) = views
    if any(not isinstance(one, np.ndarray) or one.size != 1 or one.ndim > len(x.shape) for one in others):
        return None
    given = [x.base if one is x else one.reshape(()) if isinstance(one, np.ndarray) else one for one in inputs]
    y = translate(bind, node, *given)
    is_alike = isinstance(y, Map) and y.nhwc == x.base.nhwc and y.axes == x.base.axes
    return view(node, y, x.sizes, x.order) if is_alike else None
