"""`interpolate` in a trace of dynamo's, as one operator."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch._C import DispatchKey
from torch._decomp.decompositions import upsample_compute_output_size

_aten = torch.ops.aten
_RESIZING = (
    *(_aten.upsample_nearest1d, _aten.upsample_nearest2d, _aten.upsample_linear1d, _aten.upsample_bilinear2d),
    _aten.upsample_bicubic2d,
)
_KEYS = DispatchKey.Autograd, DispatchKey.CompositeImplicitAutograd


@contextmanager
def resizing_whole() -> Iterator[None]:
    """Have PyTorch trace these operators as they are, which it otherwise takes apart into sums of picked pixels.

    Dynamo compiles one function at a time; what another thread traces otherwise meanwhile may have them whole too.
    """
    operators = [one for packet in _RESIZING for one in (packet.default, packet.vec)]
    before = [one.py_kernels.copy() for one in operators]
    for packet in _RESIZING:
        packet.vec.py_kernels.update(dict.fromkeys(_KEYS, _to_a_size(packet.default)))
        for key in _KEYS:
            packet.default.py_kernels.pop(key, None)
    _forget_dispatch(operators)
    try:
        yield
    finally:
        for one, kernels in zip(operators, before, strict=True):
            one.py_kernels.clear()
            one.py_kernels.update(kernels)
        _forget_dispatch(operators)


def _to_a_size(operator: Any) -> Callable[..., Any]:
    """What takes a size or factors, by the operator that takes both."""

    def resize(x: torch.Tensor, size: Any, *others: Any) -> torch.Tensor:
        *aligned, factors = others
        size = upsample_compute_output_size(x.size(), size, factors)
        return operator(x, size, *aligned, *(factors or [None] * len(size)))

    return resize


def _forget_dispatch(operators: list[Any]) -> None:
    for one in operators:
        one._dispatch_cache.clear()
