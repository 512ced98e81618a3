"""What translations add operations to: maps, in segments by level, batch size and dtype."""

from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv._graph.operations.operation import Operation
from fastconv.onnx import _budget
from fastconv.onnx._program import Node
from fastconv.onnx._segments import Kept, Segment
from fastconv.onnx._values import Map, Tensor, map_shape, tensor_shape

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class Maps:
    """The segments of a binding. Translations call `as_map`, `add`, `constant`, `entered`, `seen_as`,
    `operation`, `sources` and `kept`."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self._segments: dict[tuple[int, int, np.dtype], Segment] = {}
        self._made = 0
        self._sources: dict[tuple[Segment | None, str], tuple[Map, ...]] = {}  # {what `add` gave: of which maps}

    def _name(self, value: Tensor) -> str:
        """The name of a value that is read as a tensor."""
        if isinstance(value, Map) and value.segment is not None:
            value.segment.leave(value)
        return value.name

    def as_map(self, value: Any, *axes: str) -> Map | None:
        """A value of a run as a map, where the axes of its tensor may be called one of these in a map; else None."""
        if not isinstance(value, Tensor) or value.dtype not in _FLOATS:
            return None
        if isinstance(value, Map) and value.axes in axes:
            return value
        for names in axes:
            if len(names) == len(value.shape):
                shape = map_shape(value.shape, names)
                if 0 in shape[1:]:
                    return None
                level = self._level(value)
                name = self._name(value)
                return Map(name, value.shape, value.dtype, level, names, shape)
        return None

    @staticmethod
    def _level(value: Tensor) -> int:
        """The lowest level of a segment that can read a value as a tensor."""
        return value.level + 1

    def add(self, node: Node, operation: Operation, *maps: Map, axes: str = "") -> Map:
        """The result of an operation on maps; its tensor's axes are called `axes`, or as those of the first of them."""
        first, axes = maps[0], axes or maps[0].axes
        level = max(one.level for one in maps)
        segment = self._segment(level, first)
        nhwc = operation.shape("NHWC", *(one.nhwc for one in maps))
        _budget.check_size(tensor_shape(nhwc, axes), first.dtype.itemsize, self.kept.max_bytes)
        name = segment.add(node.label, operation, tuple(segment.entrance(one) for one in maps))
        self._sources[segment, name] = maps
        return self._map(first.dtype, level, axes, nhwc, name, segment)

    def sources(self, value: Map) -> tuple[Map, ...]:
        """The maps that a node of a segment reads."""
        return self._sources.get((value.segment, value.node), ())

    def constant(self, array: np.ndarray, like: Map) -> Map:
        """A map of constants beside another, of whose shape it is, or of one pixel or one channel."""
        segment = self._segment(like.level, like)
        return self._map(like.dtype, like.level, like.axes, array.shape, segment.constant(array), segment)

    def entered(self, value: Map) -> Map:
        """A value as one of a segment, which reads it if it is not there yet."""
        if value.segment is not None:
            return value
        segment = self._segment(value.level, value)
        return self._map(value.dtype, value.level, value.axes, value.nhwc, segment.entrance(value), segment)

    def _segment(self, level: int, like: Map) -> Segment:
        key = level, like.nhwc[0], like.dtype
        return self._segments.setdefault(key, Segment(level, like.dtype))

    def seen_as(self, value: Map, axes: str) -> Map:
        """The same map as a tensor with other axes."""
        if value.segment is None:
            raise RuntimeError(f"{value.name} is no map of a segment")
        return self._map(value.dtype, value.level, axes, value.nhwc, value.node, value.segment)

    def _map(self, dtype: np.dtype, level: int, axes: str, nhwc: Any, node: str, segment: Segment) -> Map:
        self._made += 1
        shape: Shape = tensor_shape(nhwc, axes)
        return Map(f"{node} {self._made}", shape, dtype, level, axes, nhwc, node, segment)

    def operation(self, value: Any) -> tuple[Operation | None, tuple[str, ...]]:
        """(the operation that gives a map, the nodes that it reads); (None, ()) of any other value."""
        segment = value.segment if isinstance(value, Map) else None
        return segment.operation(value) if segment else (None, ())
