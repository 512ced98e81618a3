"""The calls that PyTorch runs whole: where a derivative may be asked for, another tracer looks on, or tensors and modes
have operators of their own.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.autograd import forward_ad
from torch.overrides import _get_current_function_mode_stack
from torch.utils._device import DeviceContext

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


def is_plain(tensor: torch.Tensor) -> bool:
    """Whether a tensor is of PyTorch's own class, and has strides: others may say themselves what operators do."""
    return type(tensor) in (torch.Tensor, torch.nn.Parameter) and tensor.layout == torch.strided


def are_plain(values: Iterable[Any]) -> bool:
    """Whether all tensors among these are plain; the first time that one is not the log tells it."""
    other = next((one for one in values if isinstance(one, torch.Tensor) and not is_plain(one)), None)
    if other is not None and "plain" not in _told:
        _told.add("plain")
        what = f"a {type(other).__name__} of layout {other.layout}"
        _log.warning("%s may have operators of its own: PyTorch runs the module", what)
    return other is None


def has_modes() -> bool:
    """Whether a mode of torch functions is on, other than that of the CPU as the default device."""
    return any(
        not (isinstance(mode, DeviceContext) and mode.device.type == "cpu")
        for mode in _get_current_function_mode_stack()
    )


def left(module: Callable[..., Any]) -> Callable[..., Any]:
    """The function that PyTorch runs, and that counts its calls."""

    def run(*args: Any, **kwargs: Any) -> Any:
        COUNTED["calls"] += 1
        COUNTED["left"] += 1
        return module(*args, **kwargs)

    return run
