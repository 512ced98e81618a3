"""A model of one's own from an ONNX file, on fastconv's kernels: `load`.

It needs the library onnx, the extra `onnx`, which is imported when `load` is first called. What becomes graphs of
fastconv, and how the rest is computed, docs/onnx.md tells.
"""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastconv._checks.types import Accuracy

if TYPE_CHECKING:
    from fastconv.onnx._backend import Backend
    from fastconv.onnx._model import Model

__all__ = ["Backend", "Model", "load"]


def load(
    model: "str | os.PathLike[str] | bytes | Any",
    *,
    strict: bool = False,
    num_threads: int | None = None,
    accuracy: Accuracy = "normwise",
    max_bytes: int = 2**32,
) -> "Model":
    """Read an ONNX model, of opset 7 or newer.

    Parameters
    ----------
    model : path, bytes or onnx.ModelProto
        Of the file, its bytes, or what the onnx library made of it. Weights in files of their own are found beside a
        path.
    strict : bool
        Refuse operators that fastconv has no code for, instead of computing them by `onnx.reference`. What depends on
        shapes is found when these are known: in `describe`, or in the first call.
    num_threads : int, optional
        The largest team, as in `Conv2d`.
    accuracy : "normwise" or "componentwise"
        Which bound of the error the convolutions promise, as in `Conv2d`.
    max_bytes : int
        Of each array that the model makes, as far as that is known before it is made: a small file may ask for any
        number. What is larger is a ValueError that names the node.

    Returns
    -------
    fastconv.onnx.Model
        Which is called as a function of its inputs.

    Raises
    ------
    ValueError
        Where the file is damaged, or a node has an unknown operator, or one of loops or training; the error
        names the node. What depends on what a node reads, such as its shapes, is raised when shapes are known.

    Examples
    --------
    >>> import numpy as np, onnx, fastconv
    >>> from onnx import TensorProto, helper
    >>> weight = onnx.numpy_helper.from_array(np.ones((4, 3, 1, 1), np.float32), "weight")
    >>> nodes = [helper.make_node("Conv", ["x", "weight"], ["y"]), helper.make_node("Relu", ["y"], ["z"])]
    >>> x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, "H", "W"])
    >>> z = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
    >>> graph = helper.make_graph(nodes, "small", [x], [z], [weight])
    >>> model = fastconv.onnx.load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]))
    >>> model(np.ones((2, 3, 5, 5), np.float32)).shape
    (2, 4, 5, 5)
    >>> model.cost((2, 3, 5, 5)).macs
    600
    """
    needs_onnx()
    from fastconv._checks import arguments
    from fastconv._planning import choosing, teams
    from fastconv.onnx._model import Model
    from fastconv.onnx._reading import read

    strict, threads = arguments.boolean("strict", strict), teams.checked(num_threads)
    _, accuracy = choosing.checked("auto", accuracy)
    max_bytes = arguments.integer("max_bytes", max_bytes, 1, sys.maxsize)
    return Model(read(model), strict, threads, accuracy, max_bytes)


def needs_onnx() -> None:
    """Raise an ImportError that says what to install where the library onnx is missing."""
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise ImportError("fastconv.onnx reads files with the library onnx: pip install 'onnx>=1.19'") from None


_MODULES = {"Backend": "_backend", "Model": "_model"}  # which need the library onnx

if not TYPE_CHECKING:

    def __getattr__(name):
        """Import a class at its first use."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        needs_onnx()
        return getattr(import_module(f"fastconv.onnx.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
