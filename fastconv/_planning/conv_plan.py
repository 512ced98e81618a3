"""The plan of one convolution: an algorithm for each shape of x, the weights packed once for each algorithm."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks import arrays
from fastconv._checks.shapes import ConvGeometry, ConvShape
from fastconv._checks.types import Array, Float, Shape
from fastconv._graph.operations.conv import Conv, Derived
from fastconv._planning import algorithms, choosing, layouts
from fastconv._planning.call import call, call_one
from fastconv._planning.plan import Plan
from fastconv._planning.steps.conv import PreparedConv

if TYPE_CHECKING:
    from fastconv._graph.graph import Graph
    from fastconv._planning.description import Description
    from fastconv._planning.plan import Prepared


class ConvPlan(Plan):
    """The plan of a convolution that was checked, a `fastconv._graph.operations.conv.Conv`."""

    _dtype: np.dtype
    _made_again = ("_prepared", "_known", "_packed")

    def __init__(self, operation: Conv, dtype: np.dtype, num_threads: int | None) -> None:
        self._operation = operation
        super().__init__(dtype, operation.geometry.layout, num_threads)
        if operation.algorithm != "auto":
            usable = choosing.usable(operation.algorithm, operation.geometry, operation.accuracy)
            if len(usable) == 1:
                self._pack(usable[0])

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the weight, x and the result."""
        return self._dtype

    @property
    def _graph(self) -> "Graph":  # type: ignore[override]
        from fastconv._graph.graph import single  # which most programs do without

        return single(self._operation, self._layout, self._dtype)

    def _start_empty(self) -> None:
        super()._start_empty()
        self._packed: dict[algorithms.Algorithm, algorithms.Packed] = {}

    def __repr__(self) -> str:
        operation = self._operation
        r, s, c, k = operation.geometry.weight
        told = [f"{r}×{s}", f"{c * operation.geometry.groups}→{k}", *["bias"] * operation.has_bias, str(self.dtype)]
        how = {"algorithm": operation.algorithm, "accuracy": operation.accuracy}
        options = {**operation.geometry._asdict(), "activation": operation.activation, **how}
        defaults = {**ConvGeometry._field_defaults, "activation": None, "algorithm": "auto", "accuracy": "normwise"}
        told += ["prelu"] * (operation.slopes is not None) + [str(function) for function in operation.functions]
        told += [f"{name}={value!r}" for name, value in options.items() if value != defaults.get(name, value)]
        return f"Conv2d({', '.join(told)})"

    def __call__(
        self, x: Array[Float], *, residual: Array[Float] | None = None, out: Array[Float] | None = None
    ) -> Array[Float]:
        """Convolve `x`.

        Parameters
        ----------
        x : ndarray of shape (N, H, W, C) or (H, W, C); (N, C, H, W) or (C, H, W) in layout NCHW
            Any strides; what is not C-contiguous is copied first.
        residual : ndarray of the result's shape, optional
            Added before the activation.
        out : ndarray of the result's shape and dtype, optional
            C-contiguous, or a slice of channels of a C-contiguous NHWC array; it may not overlap x or residual.

        Returns
        -------
        ndarray
            (N, P, Q, K) or (P, Q, K); (N, K, P, Q) or (K, P, Q) in layout NCHW. It is `out` if that was given.
        """
        if residual is None:
            return call_one(self, ("x",), x, out)  # type: ignore[no-any-return]
        return call(self, ("x", "residual"), (x, residual), out)  # type: ignore[no-any-return]

    def describe(self, x_shape: Shape, *, measure: bool = False) -> "Description":
        """What a call on x of this shape does, as a `fastconv._planning.description.Description`.

        With `measure` it also has `milliseconds`, the time of the fastest call among those that fit 0.05 s, two at
        least, on arrays of its own, any layout conversion counted; `gflops`, the nominal 2 · MACs for a second of it;
        and `share_of_peak`, the share which that is of the multiply-adds of as many threads (as in `fastconv.peak`,
        halved for float64), measured then too. Where `multiplications` are fewer than `macs` the share may exceed 1. A
        limit too low is warned of, as there. Of an empty batch nothing is measured.
        """
        (x_shape,), prepared = self._bind_named(x_shape)
        description: Description = prepared.describe()
        description = description._replace(
            workspace_bytes=description.workspace_bytes + self._copied_bytes(prepared),
            layout_conversion=layouts.conversion(self.layout, prepared.layout),
        )
        if not measure or not prepared.macs:
            return description
        x = np.ones(x_shape, self.dtype)
        y = self(x)
        return description.timed(lambda: self(x, out=y), self.dtype.itemsize)

    def _copied_bytes(self, prepared: PreparedConv) -> int:
        """Bytes of the images whose layout is converted together."""
        shape = prepared.shape
        if prepared.layout == self.layout:
            return 0
        images = (shape.height, shape.width, shape.in_channels), prepared.out_shape[1:]
        _, nbytes = layouts.turn_size(shape.batch, images, self.dtype.itemsize)
        return nbytes

    def _bind_to(self, *shapes: Shape) -> "Prepared":
        x_shape, *residual = shapes
        if residual:
            prepared, (wanted,) = self._bind((x_shape,))
            if residual != [wanted]:
                raise ValueError(f"residual must have shape {wanted}, got {residual[0]}")
            return prepared, (wanted,)
        shape, algorithm = self._choose(x_shape)
        packed = self._pack(algorithm)
        prepared = PreparedConv(self._operation, shape, algorithm, packed, self._num_threads)
        return prepared, (arrays.result_shape(shape.out_shape, len(x_shape), self.layout),)

    def _choose(self, x_shape: Shape) -> tuple[ConvShape, algorithms.Algorithm]:
        operation = self._operation
        how = operation.algorithm, operation.accuracy
        return choosing.shape_and_algorithm(operation.geometry, x_shape, *how)

    @property
    def weights(self) -> tuple[Any, ...]:
        """What is equal for plans whose packed weights are the same."""
        conv = self._operation
        made = (conv,) if isinstance(conv, Derived) else (id(conv.weight), id(conv.bias), conv.geometry.groups)
        return made  # Derived makes its weight anew whenever it is asked

    def pack_with(self, other: "ConvPlan") -> None:
        """Have one copy of the packed weights with a plan of the same weights."""
        self._packed = other._packed

    def _pack(self, algorithm: algorithms.Algorithm) -> algorithms.Packed:
        """The weights as `algorithm` keeps them. No lock, which a fork could leave locked: threads keep the first."""
        packed = self._packed.get(algorithm)
        if packed is None:
            operation = self._operation
            weight = np.asarray(operation.weight, order=None if algorithm.layout == "NCHW" else "C")
            packed = algorithm.pack(weight, operation.bias, operation.geometry.groups, self._num_threads)
            packed = self._packed.setdefault(algorithm, packed)
        return packed
