"""The shapes, strides and dtypes that PyTorch gives the results in a graph, found without computing them."""

from typing import Any

import torch
from torch import fx
from torch._dynamo.convert_frame import compile_lock
from torch._subclasses.fake_tensor import FakeTensorMode

# PyTorch has tensors without values, and traces, in one thread at a time: two would see each other's modes.
TRACING = compile_lock


class FakeError(Exception):
    """The shapes of a graph cannot be known before it runs."""


class _Recorder(fx.Interpreter):
    """Runs a graph, and keeps what each node gives."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module, garbage_collect_values=False)
        self.found: dict[fx.Node, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        self.found[n] = super().run_node(n)
        return self.found[n]


def fakes_of(module: fx.GraphModule, args: list[Any]) -> dict[fx.Node, Any]:
    """{node: its result, of which tensors have no values} for a call with these arguments."""
    recorder = _Recorder(module)
    try:
        with TRACING, FakeTensorMode(allow_non_fake_inputs=True) as mode, torch.no_grad():
            recorder.run(*(mode.from_tensor(one.detach()) if isinstance(one, torch.Tensor) else one for one in args))
    except Exception as error:  # of any operator, whose result has a shape that depends on values for example
        raise FakeError(str(error)) from error
    return recorder.found
