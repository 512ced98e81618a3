"""What `torch.compile` calls."""

from collections.abc import Callable
from typing import Any

import torch
from torch import fx
from torch._dynamo.backends.common import aot_autograd

from fastconv._checks.types import Accuracy
from fastconv.torch._counts import COUNTED
from fastconv.torch._program import Program


def compiled(
    module: fx.GraphModule, inputs: list[Any], num_threads: int | None, accuracy: Accuracy
) -> Callable[..., Any]:
    """What runs a graph of dynamo's: through aot_autograd, after which no operator changes a tensor."""
    if needs_gradient([*inputs, *module.parameters()], module):
        COUNTED["graphs"] += 1
        return _left(module)

    def inner(functional: fx.GraphModule, _: list[Any]) -> Callable[..., Any]:
        program = Program(functional, num_threads, accuracy)

        def run(args: list[Any]) -> list[Any]:
            results = program(args)
            args.clear()  # as a boxed function gives its inputs back
            return results

        run._boxed_call = True  # type: ignore[attr-defined]
        return run

    forward, eager = aot_autograd(fw_compiler=inner)(module, inputs), _left(module)

    def run(*args: Any) -> Any:
        return eager(*args) if needs_gradient(args) else forward(*args)

    return run


def needs_gradient(tensors: Any, module: fx.GraphModule | None = None) -> bool:
    """Whether a gradient may be asked for: then PyTorch runs the graph."""
    is_enabled = torch.is_grad_enabled() or (module is not None and _enables_gradients(module))
    return is_enabled and any(isinstance(one, torch.Tensor) and one.requires_grad for one in tensors)


def _enables_gradients(module: fx.GraphModule) -> bool:
    return any(node.target is torch._C._set_grad_enabled and node.args[0] for node in module.graph.nodes)


def _left(module: fx.GraphModule) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        COUNTED["calls"] += 1
        COUNTED["left"] += 1
        return module(*args)

    return run
