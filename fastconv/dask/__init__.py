"""Images larger than memory: convolutions and networks on dask arrays, `conv2d` and `apply`.

They need the library dask, the extra `dask`, which is imported when one of them is first called. What they do with
chunks, docs/dask.md tells.
"""

from typing import TYPE_CHECKING, Any, Literal, get_args

from fastconv._checks.types import Accuracy, Activation, AlgorithmName, Array, Layout, Padding, Pair

if TYPE_CHECKING:
    from fastconv._planning.plan import Plan
    from fastconv.graph import Graph

__all__ = ["apply", "conv2d"]

PaddingMode = Literal["constant", "edge", "reflect", "symmetric"]


def conv2d(
    x: Any,
    weight: Array[Any],
    bias: Array[Any] | None = None,
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    padding_mode: PaddingMode = "constant",
    dilation: Pair = 1,
    groups: int = 1,
    activation: Activation = None,
    residual: Any = None,
    layout: Layout = "NHWC",
    algorithm: AlgorithmName = "auto",
    accuracy: Accuracy = "normwise",
    num_threads: int | None = 1,
) -> Any:
    """Convolve a dask array with weight, as `fastconv.conv2d` does a NumPy array, with the same bits.

    Parameters
    ----------
    x : dask array of float32 or float64, shape (N, H, W, C) or (H, W, C); (N, C, H, W) or (C, H, W) in layout NCHW
        Chunked along any axes; its channels are put together.
    weight, bias, stride, padding, dilation, groups, activation, layout, algorithm, accuracy
        As in `fastconv.Conv2d`; NumPy arrays.
    padding_mode : "constant", "edge", "reflect" or "symmetric"
        What the padding has: zeros, or what `numpy.pad` puts there in the mode of this name.
    residual : dask array of the result's shape, optional
    num_threads : int, optional
        The team of a task. The default is one thread, since dask runs several tasks at a time; None takes all CPUs.

    Returns
    -------
    dask array
        Whose chunks are those of x, moved to where blocks may begin, as `apply` says.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, before any work.

    Examples
    --------
    >>> import dask.array as da, numpy as np, fastconv
    >>> x = da.ones((1000, 1000, 3), chunks=(300, 300, 3), dtype=np.float32)
    >>> y = fastconv.dask.conv2d(x, np.ones((3, 3, 3, 8), np.float32), padding=1)
    >>> y.chunks
    ((300, 300, 300, 100), (300, 300, 300, 100), (8,))
    >>> float(y[500, 500, 0].compute())
    27.0
    """
    needs_dask()
    from fastconv._checks import arguments, arrays
    from fastconv._planning import teams
    from fastconv._planning.conv_plan import ConvPlan
    from fastconv.conv import declared
    from fastconv.dask import _lazy, _padding

    x = _lazy.checked("x", x)
    dtype = arrays.native_dtype(x._meta)
    arrays.check("weight", weight, dtype, other="x")
    conv = declared(weight, bias, (stride, padding, dilation, groups, layout), activation, algorithm, accuracy)
    mode = arguments.one_of("padding_mode", padding_mode, get_args(PaddingMode))
    num_threads = teams.checked(num_threads)
    plan = ConvPlan(conv, dtype, num_threads)
    wanted = plan._graph.shapes(x.shape)[conv.kind]
    inputs = [x]
    if residual is not None:
        inputs.append(_lazy.checked("residual", residual, dtype, "x"))
        if residual.shape != wanted:
            raise ValueError(f"residual must have shape {wanted}, got {residual.shape}")
    chunks = x.chunks
    if mode != "constant":
        inputs[0], conv = _padding.padded(x, conv, mode)
        plan = ConvPlan(conv, dtype, num_threads)
    return _lazy.run(plan, inputs, num_threads, chunks)


def apply(net: "Plan | Graph", x: Any, *others: Any, num_threads: int | None = 1) -> Any:
    """Run a plan, a block or a graph on dask arrays, with the bits that it has on the whole arrays.

    Each chunk of the result is a task. It reads its part of x with as much around it as the whole net needs, and runs
    the net on that. Chunks are those of x, with their borders moved to multiples of the net's strides and of the tiles
    of its convolutions; those shorter than what a task reads around them are joined.

    Parameters
    ----------
    net : `fastconv.Conv2d`, a block, pool, `Sequential`, `Graph` or a plan of one
        Fully convolutional: every pixel of a result depends on a window of x.
    x, *others : dask arrays
        As in `conv2d`; others where the net has several inputs.
    num_threads : int, optional
        As in `conv2d`; what the net was given does not count.

    Returns
    -------
    dask array
        Several results are a tuple.

    Raises
    ------
    TypeError, ValueError
        Before any work. Of a layer that needs a whole map, as a flattening or a pool over the image does, the error
        tells the name.

    Examples
    --------
    >>> import dask.array as da, numpy as np, fastconv
    >>> rng = np.random.default_rng(0)
    >>> net = fastconv.Sequential(
    ...     fastconv.Conv2d(rng.standard_normal((3, 3, 3, 8), np.float32), stride=2, padding=1, activation="relu"),
    ...     fastconv.MaxPool2d(2),
    ... )
    >>> x = rng.standard_normal((400, 400, 3), np.float32)
    >>> y = fastconv.dask.apply(net, da.from_array(x, chunks=(150, 150, 3)))
    >>> y.chunks
    ((38, 37, 25), (38, 37, 25), (8,))
    >>> bool((y.compute() == net(x)).all())
    True
    """
    needs_dask()
    from fastconv._checks import arrays
    from fastconv._graph.windows import windows
    from fastconv._planning import teams
    from fastconv.dask import _lazy
    from fastconv.graph import plan_of

    plan = plan_of("net", net)
    graph, dtype, whose = plan._graph, plan._dtype, plan._whose_dtype
    graph.check_count((x, *others))
    inputs = []
    for name, array in zip(graph.inputs, (x, *others), strict=True):
        inputs.append(_lazy.checked(name, array, dtype, whose))
        if dtype is None:
            dtype, whose = arrays.native_dtype(array._meta), name
    shapes = graph.shapes(*(array.shape for array in inputs))
    for node in graph.nodes:
        windows(node, graph.layout, *(shapes[name] for name in node.inputs))  # an error of the names that were given
    return _lazy.run(plan, inputs, teams.checked(num_threads))


def needs_dask() -> None:
    """Raise an ImportError that says what to install where the library dask is missing."""
    try:
        import dask.array  # noqa: F401
    except ImportError:
        raise ImportError(
            "fastconv.dask works on arrays of the library dask: pip install 'dask[array]>=2025.1'"
        ) from None


def __dir__() -> list[str]:
    return __all__
