"""`Conv2d`, the plan of a convolution: validate, choose and pack once, then call many times."""

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastconv import _algorithms, _arguments, _arrays, _cpu, _layout, _shapes, _threads
from fastconv._bound import Bound
from fastconv._cut import Runner
from fastconv._typing import Activation, AlgorithmName, Array, Float, Layout, Padding, Pair, Shape

if TYPE_CHECKING:
    from fastconv.cost import Cost

PAST_PEAK = "nominal: fewer multiplications than MACs"
MOST_BOUND_SHAPES = 64  # kept in a plan; each holds about a kilobyte


class Description(NamedTuple):
    """What a call on one shape of x does; prints as a small table.

    `multiplications` are those really done, lanes that only pad the channels to whole vectors not counted; "direct"
    leaves out those with rows and columns of the padding.
    `packed_bytes` are kept beside the plan's own copy of the weights; `workspace_bytes` is for the whole team, with the
    copies of a layout conversion.
    `milliseconds`, `gflops` and `share_of_peak` are None where nothing was measured.
    """

    algorithm: str
    tile: str
    isa: str
    threads: int
    macs: int
    multiplications: int
    packed_bytes: int
    workspace_bytes: int
    layout_conversion: str
    milliseconds: float | None = None
    gflops: float | None = None
    share_of_peak: float | None = None

    @property
    def is_past_peak(self) -> bool:
        """Whether the speed, which is nominal, passes that of the multiply-add units."""
        return self.multiplications < self.macs and (self.share_of_peak or 0) > 1

    def __str__(self) -> str:
        known = {name.replace("_", " "): value for name, value in self._asdict().items() if value is not None}
        forms = {int: ",", float: ".3g", str: ""}
        lines = [f"{name:17} {value:{forms[type(value)]}}" for name, value in known.items()]
        return "\n".join(lines) + f" ({PAST_PEAK})" * self.is_past_peak


class BoundConv(Bound):
    """A convolution of one shape, on arrays in its `layout`; `out_shape` is NHWC in either."""

    __slots__ = ("_activation", "algorithm", "layout", "out_shape", "packed", "shape")

    def __init__(
        self,
        shape: _shapes.ConvShape,
        algorithm: _algorithms.Algorithm,
        packed: _algorithms.Packed,
        activation: Activation,
        num_threads: int | None,
    ) -> None:
        super().__init__(num_threads, _threads.useful(shape.batch * algorithm.cost(shape)))
        self.shape, self.algorithm, self.layout, self.packed = shape, algorithm, algorithm.layout, packed
        self.out_shape = shape.batch, shape.out_height, shape.out_width, shape.out_channels
        self._activation = activation

    def _bind(self, threads: int) -> Runner:
        return self.algorithm.bind(self.shape, self.packed, self._activation)


class Conv2d:
    """A convolution with fixed weights, packed once, at the latest in the first call, and ready for many calls.

    y = activation(conv(x, weight) + bias + residual)

    Parameters
    ----------
    weight : ndarray of float32 or float64
        (R, S, C / groups, K) in layout NHWC, (K, C / groups, R, S) in layout NCHW. A copy is kept: later changes of the
        array do not reach the plan.
    bias : ndarray of shape (K,), optional
    stride, dilation : int or (int, int), default 1
        For height and width.
    padding : int, (int, int), ((top, bottom), (left, right)), "same" or "valid", default 0
        Zeros around x; "same" follows TensorFlow: ceil(size / stride) outputs, the odd pixel at the end.
    groups : int, default 1
        Output channels of a group see the input channels of that group only.
    activation : None or "relu"
    layout : "NHWC" or "NCHW"
    algorithm : "auto", "direct", "winograd" or "blas"
        "winograd" does fewer multiplications, for 3×3 and 5×5 convolutions of stride 1; "blas" is SciPy's matrix
        product, for 1×1 convolutions. "auto" takes what is expected to be fastest for the shape, by the rule in
        `_algorithms.py`.
    num_threads : int, optional
        The largest team, at least 1; a number beyond 64 and the number of CPUs counts as the larger of these. Small
        work is done by fewer. The default is one thread for each physical CPU that the process may use.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, before any work.

    Notes
    -----
    The largest error, as a share of the output's root mean square, for 128 channels of ReLU'd normal x and normal
    weights times sqrt(2 / terms), is 1e-6 to 2e-6 with "direct" and 2e-6 to 4e-6 with "winograd" (1e-6 with its
    F(2×2, 3×3)), whose tiles are computed directly where x is not finite or a value on the way might overflow.

    The error of an output follows from what it sees itself, whatever lies beside it: it is a few eps times the norm of
    those values times the norm of the weights of its channel, at most 64 eps in all tests. Whole numbers, masks among
    them, whose sums stay below 2^24 (float64: 2^53) come out exact with "direct"; "winograd", and so "auto", rounds
    them as any others, but gives the bias exactly where an output sees zeros alone.

    Of a subclass of ndarray, such as a memmap, only the values count. Masked arrays are refused, and subclasses that
    define `__array_ufunc__` or `__array_function__`, as those with units do: give a plain array, `np.asarray(x)`.

    The result has the same bits for every number of threads and every batch size, but for the sign and payload of a
    NaN. A plan may be called from many threads at once and can be pickled.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> rng = np.random.default_rng(0)
    >>> plan = fastconv.Conv2d(rng.standard_normal((3, 3, 8, 16), np.float32), padding=1)
    >>> plan(rng.standard_normal((1, 28, 28, 8), np.float32)).shape
    (1, 28, 28, 16)
    >>> plan.cost((1, 28, 28, 8)).macs
    903168
    """

    @_arguments.takes("the arrays weight, (R, S, C / groups, K) in layout NHWC, and bias")
    def __init__(
        self,
        weight: Array[Float],
        bias: Array[Float] | None = None,
        *,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        groups: int = 1,
        activation: Activation = None,
        layout: Layout = "NHWC",
        algorithm: AlgorithmName = "auto",
        num_threads: int | None = None,
    ) -> None:
        weight = _arrays.array("weight", weight).copy()  # first of all: nothing that is checked can change any more
        self._geometry = _shapes.conv_geometry(
            weight.shape, stride=stride, padding=padding, dilation=dilation, groups=groups, layout=layout
        )
        self._bias = None if bias is None else _arrays.bias(bias, weight, self.layout).copy()
        self._weight: np.ndarray = weight if self.layout == "NHWC" else weight.transpose(2, 3, 1, 0)  # HWIO
        self._activation = _arguments.one_of("activation", activation, _shapes.ACTIVATIONS)
        self._algorithm = _arguments.one_of("algorithm", algorithm, _algorithms.NAMES)
        self._num_threads = _threads.checked(num_threads)
        self._start_empty()
        if self._algorithm != "auto":
            usable = _algorithms.usable(self._algorithm, self._geometry)
            if len(usable) == 1:
                self._pack(usable[0])

    def _start_empty(self) -> None:
        self._packed: dict[_algorithms.Algorithm, _algorithms.Packed] = {}  # by algorithm
        self._bound: dict[Shape, BoundConv] = {}  # by the shape of x

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_packed", "_bound")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start_empty()

    def __repr__(self) -> str:
        r, s, c, k = self._weight.shape
        options = {**self._geometry.options, "activation": self._activation, "algorithm": self._algorithm}
        told = ", ".join(f"{name}={value!r}" for name, value in options.items())
        bias = "no bias" if self._bias is None else "bias"
        return f"Conv2d({r}×{s}, {c * self._geometry.groups}→{k}, {bias}, {self.dtype}, {told})"

    @property
    def num_threads(self) -> int:
        """The largest team, for the calling thread now."""
        return _threads.now(self._num_threads)

    @property
    def dtype(self) -> np.dtype:
        """The dtype of weight, x and the result."""
        return self._weight.dtype

    @property
    def layout(self) -> Layout:
        """ "NHWC" or "NCHW"."""
        return self._geometry.layout

    def __call__(
        self, x: Array[Float], residual: Array[Float] | None = None, out: Array[Float] | None = None
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
        dtype, layout = self._weight.dtype, self._geometry.layout
        x = _arrays.check("x", x, dtype)
        bound = self._bound.get(x.shape) or self._bind(x.shape)
        shape = _arrays.result_shape(bound.out_shape, x.ndim, layout)
        if residual is not None:
            residual = _arrays.check("residual", residual, dtype, shape)
        y, step = _arrays.output(out, dtype, shape, layout, x, residual)
        if bound.layout == layout:
            added = None if residual is None else _arrays.contiguous(residual, dtype)
            bound.run(_arrays.contiguous(x, dtype), added, y, step)
        else:
            images = x.shape[-3:]
            _layout.run_in_nhwc(lambda n: self._bind((n, *images)), x, residual, y, self._num_threads)
        return y if out is None else out

    def cost(self, x_shape: Shape) -> "Cost":
        """The exact `fastconv.cost.Cost` of a call on x of this shape."""
        from fastconv import cost

        with _arguments.named("x_shape"):
            shape = self._geometry.at(x_shape)
        return cost.of_shapes([shape], [self._bias is not None], [shape], self.dtype.itemsize)

    def describe(self, x_shape: Shape, measure: bool = False) -> Description:
        """What a call on x of this shape does, as a `fastconv.conv.Description`.

        With `measure` it also has `milliseconds`, the time of the fastest call among those that fit 0.05 s, two at
        least, on arrays of its own, any layout conversion counted; `gflops`, the nominal 2 · MACs for a second of it;
        and `share_of_peak`, the share which that is of the multiply-adds of as many threads (as in `fastconv.peak`,
        halved for float64), measured then too. Where `multiplications` are fewer than `macs` the share may exceed 1. A
        limit too low is warned of, as there. Of an empty batch nothing is measured.
        """
        with _arguments.named("x_shape"):
            x_shape = _arguments.sizes("x", x_shape)
            bound = self._bind(x_shape)
        runner = bound.runner
        measured = self._measure(x_shape, bound, runner.threads) if measure and bound.shape.macs else {}
        return Description(
            algorithm=bound.algorithm.name,
            tile=runner.tile,
            isa=_cpu.active(),
            threads=runner.threads,
            macs=bound.shape.macs,
            multiplications=bound.algorithm.multiplications(bound.shape, runner),
            packed_bytes=sum(array.nbytes for array in bound.packed if self._is_packed(array)),
            workspace_bytes=runner.memory + self._copied_bytes(bound),
            layout_conversion=_layout.conversion(self.layout, bound.layout),
            **measured,
        )

    def _copied_bytes(self, bound: BoundConv) -> int:
        """Bytes of the images whose layout is converted together."""
        shape = bound.shape
        if bound.layout == self.layout or not shape.batch:
            return 0
        values = prod((shape.height, shape.width, shape.in_channels)) + prod(bound.out_shape[1:])
        nbytes = values * self.dtype.itemsize  # of an image
        return nbytes * min(shape.batch, _layout.turn_images(shape.batch, shape.batch * nbytes))

    def _is_packed(self, kept: object) -> bool:
        """Whether what an algorithm keeps is an array of its own, and not the plan's."""
        return isinstance(kept, np.ndarray) and kept is not self._weight

    def _measure(self, x_shape: Shape, bound: BoundConv, team: int) -> dict[str, float]:
        from fastconv import _machine

        x = np.ones(x_shape, self.dtype)
        y = self(x)

        def call(team: int) -> int:
            self(x, out=y)
            return 1

        calls_per_ns = _machine.best_rate(call, team, fewest=2)
        gflops = 2 * bound.shape.macs * calls_per_ns
        peak = _machine.fma_gflops(team)[1] * 4 / self.dtype.itemsize
        return {"milliseconds": 1e-6 / calls_per_ns, "gflops": gflops, "share_of_peak": gflops / peak}

    def _bind(self, x_shape: Shape) -> BoundConv:
        """The `BoundConv` for this shape of x, made at its first use."""
        bound = self._bound.get(x_shape)
        if bound is not None:
            return bound
        shape = self._geometry.at(x_shape)
        algorithm = _algorithms.choose(self._algorithm, shape, self.layout)
        packed = self._pack(algorithm)
        if len(self._bound) >= MOST_BOUND_SHAPES:
            self._bound.clear()
        return self._bound.setdefault(x_shape, BoundConv(shape, algorithm, packed, self._activation, self._num_threads))

    def _pack(self, algorithm: _algorithms.Algorithm) -> _algorithms.Packed:
        """The weights as `algorithm` keeps them. No lock, which a fork could leave locked: threads keep the first."""
        packed = self._packed.get(algorithm)
        if packed is None:
            weight = self._weight if algorithm.layout == "NCHW" else np.ascontiguousarray(self._weight)
            packed = algorithm.pack(weight, self._bias, self._geometry.groups, self._num_threads)
            packed = self._packed.setdefault(algorithm, packed)
        return packed
