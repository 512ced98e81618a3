"""A module as `torch.export` traced it, which runs without dynamo."""

from typing import Any

import torch
from torch import nn
from torch.export import Dim, ExportedProgram, default_decompositions
from torch.export.graph_signature import InputKind, OutputKind
from torch.utils import _pytree as pytree

from fastconv._checks import arguments
from fastconv._checks.types import Accuracy
from fastconv.torch._backend import needs_gradient
from fastconv.torch._counts import COUNTED
from fastconv.torch._operators import OPERATORS
from fastconv.torch._program import Program


class Converted(nn.Module):
    """What `fastconv.torch.convert` makes of a module. In training mode, and where a gradient is needed, it is that one.

    Attributes
    ----------
    module : torch.nn.Module
        That it was made of.
    """

    def __init__(
        self, module: nn.Module, exported: ExportedProgram, num_threads: int | None, accuracy: Accuracy
    ) -> None:
        super().__init__()
        self.module = module
        signature, own = exported.graph_signature, []
        self._sources = [(spec.kind, *_owner(module, exported, spec)) for spec in signature.input_specs]
        own = [i for i, (kind, _, _) in enumerate(self._sources) if kind != InputKind.USER_INPUT]
        placeholders = [node for node in exported.graph.nodes if node.op == "placeholder"]
        self._inputs = [
            (node.name, node.meta["val"])
            for node, (kind, _, _) in zip(placeholders, self._sources, strict=True)
            if kind == InputKind.USER_INPUT
        ]
        self._spec = exported.call_spec
        self._program = Program(exported.graph_module, num_threads, accuracy, own)
        self.eval()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The results of the module, for arguments as in the example."""
        if self.training:
            return self.module(*args, **kwargs)
        leaves, spec = pytree.tree_flatten((args, kwargs))
        if spec != self._spec.in_spec:
            raise TypeError(f"the arguments must be {self._spec.in_spec}, got {spec}")
        for (name, like), given in zip(self._inputs, leaves, strict=True):
            _check(name, like, given)
        given = iter(leaves)
        tensors = [next(given) if owner is None else owner[name] for _, owner, name in self._sources]
        if needs_gradient(tensors):
            COUNTED["calls"] += 1
            COUNTED["left"] += 1
            return self.module(*args, **kwargs)
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            results = self._program(tensors)
        return pytree.tree_unflatten(results, self._spec.out_spec)


def converted(module: Any, example: Any, num_threads: int | None, accuracy: Accuracy) -> Converted:
    """The module for `convert`, whose arguments are checked here."""
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {arguments.kind(module)}")
    if module.training:
        raise ValueError("module must be in eval mode, for inference: call module.eval()")
    args = example if isinstance(example, tuple) else (example,)
    try:
        free = pytree.tree_map(_free, args)
        with torch.no_grad():
            exported = torch.export.export(module, args, dynamic_shapes=free).run_decompositions(_decompositions())
    except Exception as error:  # of dynamo's, export's and the module's own
        raise ValueError(f"torch.export cannot trace the module: {error}") from error
    changing = [one for one in exported.graph_signature.output_specs if one.kind != OutputKind.USER_OUTPUT]
    if changing:
        told = ", ".join(str(one.target) for one in changing)
        raise ValueError(f"the module changes its buffers or inputs in a call, which fastconv does not do: {told}")
    return Converted(module, exported, num_threads, accuracy)


def _decompositions() -> Any:
    """PyTorch's own, but for what has a word of its own in ONNX."""
    table = default_decompositions()
    for operator in OPERATORS:
        if operator in table:
            table.pop(operator)
    return table


def _free(value: Any) -> Any:
    """The axes of a tensor whose sizes may be others in calls."""
    return dict.fromkeys(range(value.dim()), Dim.AUTO) if isinstance(value, torch.Tensor) else None


def _owner(module: nn.Module, exported: ExportedProgram, spec: Any) -> tuple[Any, str]:
    """(the dictionary that has an input that is the module's own, its name there); (None, "") of an argument."""
    if spec.kind == InputKind.USER_INPUT:
        return None, ""
    path, _, name = spec.target.rpartition(".")
    if spec.kind == InputKind.CONSTANT_TENSOR or (spec.kind == InputKind.BUFFER and not spec.persistent):
        return exported.constants, spec.target
    owner = module.get_submodule(path)
    return (owner._parameters if spec.kind == InputKind.PARAMETER else owner._buffers), name


def _check(name: str, like: Any, given: Any) -> None:
    """Check an argument against the one of the example."""
    if not isinstance(like, torch.Tensor):
        if isinstance(like, int | float | str | bool | None) and given != like:
            raise ValueError(f"{name} must be {like!r}, as in the example, got {given!r}")
        return
    if not isinstance(given, torch.Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {arguments.kind(given)}")
    if given.dtype != like.dtype or given.device != like.device:
        raise TypeError(f"{name} must be {like.dtype} on {like.device}, got {given.dtype} on {given.device}")
    fixed = tuple(size if isinstance(size, int) else None for size in like.shape)
    if given.dim() != like.dim() or any(n is not None and n != m for n, m in zip(fixed, given.shape, strict=True)):
        told = ", ".join("any" if size is None else str(size) for size in fixed)
        raise ValueError(f"{name} must have shape ({told}), as the example fixes it, got {tuple(given.shape)}")
