"""What `torch.compile` calls."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import torch
from torch import fx
from torch._dynamo.backends.common import aot_autograd

from fastconv._checks.types import Accuracy
from fastconv.torch._counts import COUNTED
from fastconv.torch._left import is_left, left, needs_gradient
from fastconv.torch._program import Program
from fastconv.torch._resizing import put_back, whole
from fastconv.torch._taking_apart import TAKEN_APART


def compiled(
    module: fx.GraphModule, inputs: list[Any], num_threads: int | None, accuracy: Accuracy
) -> Callable[..., Any]:
    """What runs a graph of dynamo's: through aot_autograd, after which no operator changes a tensor."""
    with torch.set_grad_enabled(torch.is_grad_enabled() or _enables_gradients(module)):
        if needs_gradient(chain(inputs, module.parameters())):
            COUNTED["graphs"] += 1
            return left(module)

    def inner(functional: fx.GraphModule, _: list[Any]) -> Callable[..., Any]:
        put_back(functional)
        program = Program(functional, num_threads, accuracy)

        def run(args: list[Any]) -> list[Any]:
            results = program(args)
            args.clear()  # as a boxed function gives its inputs back
            return results

        run._boxed_call = True  # type: ignore[attr-defined]
        return run

    eager = left(module)
    forward = aot_autograd(fw_compiler=inner, decompositions=TAKEN_APART)(whole(module), inputs)

    def run(*args: Any) -> Any:
        return eager(*args) if is_left(args) else forward(*args)

    return run


def _enables_gradients(module: fx.GraphModule) -> bool:
    return any(node.target is torch._C._set_grad_enabled and node.args[0] for node in module.graph.nodes)
