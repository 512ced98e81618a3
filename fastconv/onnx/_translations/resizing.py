"""Other sizes of maps."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.resizing import COORDINATES, LinearResize, NearestResize, NewSize
from fastconv.onnx._in_numpy import resizing
from fastconv.onnx._program import Node
from fastconv.onnx._values import AXES, Map

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding


def resize(
    bind: "Binding", node: Node, x: Any, roi: np.ndarray | None = None, scales: Any = None, sizes: Any = None
) -> Map | None:
    """Of height and width, to the nearest pixel or linearly between the four around."""
    get, axes = resizing.attributes_of(node), resizing.axes_of(node, x.shape, roi, scales, sizes)
    x = bind.as_map(x, *AXES) if isinstance(x, Map) and x.segment else bind.as_map(x, "NCHW", "NCW")
    mode, coordinates = get["mode"], get["coordinate_transformation_mode"]
    if x is None or mode not in ("nearest", "linear") or coordinates not in COORDINATES:
        return None
    if mode == "linear" and (get.get("antialias") or get.get("exclude_outside")):
        return None
    changed = {x.axes[axis]: found for axis, found in axes.items() if not found.is_kept}
    if not changed.keys() <= {"H", "W"}:
        return None
    sizes_of_x = zip("HW", x.nhwc[1:3], strict=True)
    height, width = (changed.get(axis, resizing.Axis(n, n, 1.0, (0, 1))) for axis, n in sizes_of_x)
    new = NewSize((height.new_size, width.new_size), (height.scale, width.scale), coordinates)
    if mode == "linear":
        operation: Operation = LinearResize(new)
    else:
        roundings = {resizing.rounding_of(get, found) for found in changed.values()}
        if len(roundings) > 1:
            return None
        operation = NearestResize(new, *roundings or ("floor",))
    return bind.add(node, operation, x)


TRANSLATIONS = {"Resize": resize, "Upsample": resize}
PARAMETERS = {"Resize": (1, 2, 3), "Upsample": (1,)}
