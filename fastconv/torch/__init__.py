"""A PyTorch module on fastconv's kernels: `torch.compile(module, backend="fastconv")`, or `convert` without compiling.

It is for inference in float32. What becomes graphs of fastconv, and what PyTorch runs, docs/torch.md tells. PyTorch is
imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastconv.torch._counts import Counts, counts

if TYPE_CHECKING:
    from fastconv.torch._converted import Converted

__all__ = ["Converted", "Counts", "backend", "convert", "counts"]


def backend(module: Any, inputs: Any, *, options: dict[str, Any] | None = None, mode: str | None = None) -> Any:
    """Compile a graph of dynamo's: the function behind `torch.compile(module, backend="fastconv")`.

    Parameters
    ----------
    module : torch.fx.GraphModule
    inputs : list of torch.Tensor
    options : dict, optional
        `num_threads`, the largest team, by default `torch.get_num_threads()` at each call; `accuracy`, "normwise" or
        "componentwise", as in `fastconv.Conv2d`.
    mode : str, optional
        Any of torch.compile's: there is one way to compile.

    Examples
    --------
    >>> import torch, fastconv.torch
    >>> net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU()).eval()
    >>> compiled = torch.compile(net, backend=fastconv.torch.backend)
    >>> before = fastconv.torch.counts()
    >>> with torch.no_grad():
    ...     compiled(torch.ones(1, 3, 8, 8)).shape
    torch.Size([1, 8, 6, 6])
    >>> fastconv.torch.counts().plans - before.plans
    1
    """
    _needs_torch()
    num_threads, accuracy = _options(options or {})
    from fastconv.torch._backend import compiled

    return compiled(module, inputs, num_threads, accuracy)


def convert(module: Any, example: Any, *, num_threads: int | None = None, accuracy: Any = "normwise") -> "Converted":
    """Make a module that runs without dynamo, for inference in float32.

    `torch.export` traces the module: what it cannot trace, such as a branch that depends on the values of a tensor, is
    an error. The new module keeps `module`, whose parameters and buffers it uses: what is loaded into them, or changed
    in place, counts at the next call.

    Parameters
    ----------
    module : torch.nn.Module
        In eval mode.
    example : torch.Tensor or tuple
        Its arguments. A call with arguments of other shapes traces the module once more, which takes seconds.
    num_threads : int, optional
        The largest team; the default is `torch.get_num_threads()` at each call.
    accuracy : "normwise" or "componentwise"
        As in `fastconv.Conv2d`.

    Returns
    -------
    fastconv.torch.Converted
        A `torch.nn.Module`.

    Raises
    ------
    TypeError, ValueError
        Where `module` is none, is in training mode, changes its buffers or inputs, or cannot be traced.

    Examples
    --------
    >>> import torch, fastconv.torch
    >>> net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU()).eval()
    >>> converted = fastconv.torch.convert(net, torch.ones(2, 3, 8, 8))
    >>> with torch.no_grad():
    ...     converted(torch.ones(5, 3, 9, 9)).shape
    torch.Size([5, 8, 7, 7])
    """
    _needs_torch()
    num_threads, accuracy = _options({"num_threads": num_threads, "accuracy": accuracy})
    from fastconv.torch._converted import converted

    return converted(module, example, num_threads, accuracy)


def _needs_torch() -> None:
    """Raise an ImportError that says what to install where PyTorch is missing."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise ImportError("fastconv.torch runs modules of PyTorch: pip install 'torch>=2.13'") from None


def _options(given: dict[str, Any]) -> tuple[int | None, Any]:
    """(num_threads, accuracy), checked."""
    from fastconv._planning import choosing, teams

    known = {"num_threads": None, "accuracy": "normwise"}
    unknown = set(given) - set(known)
    if unknown:
        raise ValueError(f"options must be among {', '.join(known)}, got {', '.join(sorted(unknown))}")
    options: dict[str, Any] = known | given
    _, accuracy = choosing.checked("auto", options["accuracy"])
    return teams.checked(options["num_threads"]), accuracy


if not TYPE_CHECKING:

    def __getattr__(name):
        """Import the class, which needs PyTorch, at its first use."""
        if name != "Converted":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        _needs_torch()
        return import_module("fastconv.torch._converted").Converted


def __dir__() -> list[str]:
    return __all__
