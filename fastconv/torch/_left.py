"""The calls that PyTorch runs whole: where a derivative may be asked for, or another tracer looks on."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.autograd import forward_ad

from fastconv.torch._counts import COUNTED

_log = logging.getLogger(__name__)
_told = set[str]()  # what the log had once in this process


def is_left(tensors: Iterable[Any]) -> bool:
    """Whether PyTorch runs a call that reads these tensors."""
    return is_traced() or forward_ad._current_level >= 0 or needs_gradient(tensors)


def is_traced() -> bool:
    """Whether dynamo, torch.jit.trace, a transform of torch.func or a mode of dispatch sees what is called."""
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()
        or torch._C._functorch.peek_interpreter_stack() is not None
        or torch._C._len_torch_dispatch_stack() > 0
    )


def needs_gradient(tensors: Iterable[Any]) -> bool:
    """Whether a gradient may be asked for; the first time the log tells it, since fastconv then does nothing."""
    is_needed = torch.is_grad_enabled() and any(isinstance(one, torch.Tensor) and one.requires_grad for one in tensors)
    if is_needed and "gradient" not in _told:
        _told.add("gradient")
        _log.warning("a gradient may be needed: PyTorch runs the graph; use torch.no_grad()")
    return is_needed


def left(module: Callable[..., Any]) -> Callable[..., Any]:
    """The function that PyTorch runs, and that counts its calls."""

    def run(*args: Any, **kwargs: Any) -> Any:
        COUNTED["calls"] += 1
        COUNTED["left"] += 1
        return module(*args, **kwargs)

    return run
