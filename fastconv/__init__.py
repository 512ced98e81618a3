"""Convolution forward passes on multicore CPUs for NumPy arrays.

    conv2d(x, weight, …)  Fire(…)(x)  Graph  functional.py, conv.py, blocks.py, graph/: what users call
       │  says what is to be computed     _graph: operations as data, from which shapes, errors and cost follow
       │  decides once                    _planning: algorithms, teams, steps and memory
       │  packs the weights once          the plan: a graph bound to a shape
       ▼  runs                            _runners: loops over tiles, threads, no Python
          micro-kernels                   _kernels/csrc: one register tile, compiled once for each instruction set

Beside them: `cost`, exact multiplications and bytes; `reference`, the same functions and graphs in NumPy float64;
`networks`, the published networks, from an image to class scores; `onnx` and `torch`, networks of one's own from ONNX
files and PyTorch; `dask`, images larger than memory.
"""

import os
import threading
from importlib import import_module
from typing import TYPE_CHECKING

try:
    for _module in ("_kernels.cpu", "_checks.arrays", "_planning.teams"):  # the last reads the environment
        import_module(f"fastconv.{_module}")
except ModuleNotFoundError as error:  # other errors, of a library that it needs say, tell for themselves what is wrong
    if not (error.name or "").startswith("fastconv."):
        raise
    raise ImportError(
        "the compiled part of fastconv is not here: in its source tree, build it in place with "
        "`python -m pip install --editable .`, or change to another folder to use an installed fastconv"
    ) from None

if TYPE_CHECKING:
    from fastconv import cost, dask, networks, onnx, reference, torch
    from fastconv._config import get_config, show_config
    from fastconv._planning.machine import peak
    from fastconv._planning.workspace import release
    from fastconv.blocks import Bottleneck, Fire, Inception, MLPConv, Reduced
    from fastconv.conv import Conv2d
    from fastconv.functional import conv2d, pointwise
    from fastconv.graph import Graph
    from fastconv.pooling import (
        AvgPool2d,
        GlobalAvgPool2d,
        GlobalMaxPool2d,
        MaxPool2d,
        avg_pool2d,
        global_avg_pool2d,
        global_max_pool2d,
        max_pool2d,
    )
    from fastconv.sequential import Sequential

__version__ = "0.1.0"
__all__ = [
    "AvgPool2d",
    "Bottleneck",
    "Conv2d",
    "Fire",
    "GlobalAvgPool2d",
    "GlobalMaxPool2d",
    "Graph",
    "Inception",
    "MLPConv",
    "MaxPool2d",
    "Reduced",
    "Sequential",
    "avg_pool2d",
    "conv2d",
    "cost",
    "dask",
    "get_config",
    "global_avg_pool2d",
    "global_max_pool2d",
    "max_pool2d",
    "networks",
    "onnx",
    "peak",
    "pointwise",
    "reference",
    "release",
    "show_config",
    "torch",
]

_LATE = {  # {name: the module that has or is it}
    **dict.fromkeys(("Bottleneck", "Fire", "Inception", "MLPConv", "Reduced"), "blocks"),
    "Conv2d": "conv",
    **dict.fromkeys(("conv2d", "pointwise"), "functional"),
    "Graph": "graph",
    "Sequential": "sequential",
    **dict.fromkeys((name for name in __all__ if name.lower().endswith("pool2d")), "pooling"),
    **dict.fromkeys(("get_config", "show_config"), "_config"),
    "peak": "_planning.machine",
    "release": "_planning.workspace",
    **{name: name for name in ("cost", "dask", "networks", "onnx", "reference", "torch")},
}


_importing = threading.RLock()  # a fork waits for it: the child would wait for ever for a module half imported
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_importing.acquire, after_in_parent=_importing.release, after_in_child=_importing.release
    )

if not TYPE_CHECKING:  # to a type checker any name would be there

    def __getattr__(name):
        """Import what is used when it is used first: the import of fastconv takes little beside NumPy's."""
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        with _importing:
            module = import_module(f"fastconv.{_LATE[name]}")
        value = getattr(module, name, module)
        globals()[name] = value
        return value


def _frozen() -> object:
    """Show tools that freeze programs what is imported late or by compiled code: they read this, nothing calls it."""
    import fastconv._frozen

    return fastconv._frozen


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
