"""A module as `torch.export` traces it, once for each kind of arguments; calls run without dynamo."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram, default_decompositions
from torch.export.graph_signature import InputKind, InputSpec, OutputKind
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm
from torch.utils import _pytree as pytree

from fastconv._checks import arguments
from fastconv._checks.types import Accuracy
from fastconv.torch._fakes import TRACING
from fastconv.torch._left import are_plain, has_modes, is_left, is_traced, left, needs_gradient
from fastconv.torch._operators import OPERATORS
from fastconv.torch._program import OutdatedError, Program, likeness
from fastconv.torch._weights import KnownWeights

_aten = torch.ops.aten
_RECURRENT = _aten.gru, _aten.lstm, _aten.rnn_relu, _aten.rnn_tanh
# Of these a part is a check whose error, of a singular matrix, is an effect where a trace takes them apart.
_INVERSES = _aten.inverse, _aten.linalg_inv, _aten.linalg_solve, _aten.linalg_tensorinv
_FACTORS = _aten.linalg_cholesky, _aten.linalg_ldl_factor, _aten.linalg_lu_factor
_KEPT = *_RECURRENT, *_INVERSES, *_FACTORS
_RESIZED = (  # by the operators behind `interpolate`, of which those that fastconv has are in OPERATORS
    *(_aten.upsample_bicubic2d.vec, _aten.upsample_trilinear3d.vec, _aten.upsample_nearest3d.vec),
    *(_aten._upsample_nearest_exact1d.vec, _aten._upsample_nearest_exact2d.vec, _aten._upsample_nearest_exact3d.vec),
)
_MAX_TRACED = 64  # kept, one for the shapes of a call each

# [a dictionary], [its entries before], [(a dictionary, its entries before, the name of one that calls make anew)]
_Structure = tuple[list[Any], list[Any], list[tuple[dict[str, Any], dict[str, Any], str]]]


class Converted(nn.Module):
    """What `fastconv.torch.convert` makes of a module; in training mode and for gradients it calls that one.

    Attributes
    ----------
    module : torch.nn.Module
        That it was made of.
    """

    def __init__(self, module: nn.Module, num_threads: int | None, accuracy: Accuracy) -> None:
        super().__init__()
        self.module = module
        self._num_threads, self._accuracy = num_threads, accuracy
        self._known = KnownWeights(accuracy)
        self._traced: dict[Any, _Traced] = {}
        self._structure: _Structure = [], [], []
        self.training = False  # and not eval(), which would change the parts of the module

    def __getstate__(self) -> dict[str, Any]:
        """Without what was made, which a copy makes again."""
        return {
            **super().__getstate__(),
            "_known": KnownWeights(self._accuracy),
            "_traced": {},
            "_structure": ([], [], []),
        }

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The results of the module. The first call with arguments of some shapes and strides traces it."""
        if is_traced():  # which also sees what is counted
            return self.module(*args, **kwargs)
        leaves, spec = pytree.tree_flatten((args, kwargs))
        if has_modes() or not are_plain(leaves):
            return left(self.module)(*args, **kwargs)
        if any(isinstance(leaf, np.ndarray) for leaf in leaves):
            raise TypeError("the arguments must be tensors, got ndarray; give torch.from_numpy(x)")
        key = _key(spec, leaves)
        while True:
            with TRACING:  # which puts other tensors into the module
                traced = None
                tensors = chain(leaves, self.module.parameters(), self.module.buffers())
                if not (self.training or self.module.training or is_left(tensors)):
                    with torch.no_grad(), torch.autocast("cpu", enabled=False):
                        traced = self.traced(args, kwargs, key)
                        given = traced.inputs(leaves) if traced else []
            if traced is None or needs_gradient(given):  # of a tensor that is neither parameter nor buffer
                return left(self.module)(*args, **kwargs)
            try:
                with torch.no_grad(), torch.autocast("cpu", enabled=False):
                    return traced(given)
            except OutdatedError:
                self._traced.pop(key, None)

    def traced(self, args: tuple[Any, ...], kwargs: dict[str, Any], key: Any) -> "_Traced | None":
        """The module for arguments like these; None where it has tensors that are not plain."""
        is_full = key not in self._traced and len(self._traced) >= _MAX_TRACED
        if is_full or not _is_as_it_was(*self._structure):
            self._traced, self._known = {}, KnownWeights(self._accuracy)  # which has what was made for the traces
        if key not in self._traced:
            if not are_plain(_tensors(self.module)):
                return None
            exported = _exported(self.module, args, kwargs)
            self._traced[key] = _Traced(self.module, exported, self._num_threads, self._accuracy, self._known)
            self._structure = _structure(self.module)
        return self._traced[key]


class _Traced:
    """A trace of a module, which takes its parameters and buffers from the module at each call."""

    def __init__(
        self,
        module: nn.Module,
        exported: ExportedProgram,
        num_threads: int | None,
        accuracy: Accuracy,
        known: KnownWeights,
    ) -> None:
        self._sources = [_source(module, exported, spec) for spec in exported.graph_signature.input_specs]
        own = {i: likeness(owner[name]) for i, (owner, name) in enumerate(self._sources) if owner is not None}
        self._program = Program(exported.graph_module, num_threads, accuracy, known, own)
        self._out_spec = exported.call_spec.out_spec

    def inputs(self, leaves: list[Any]) -> list[Any]:
        """Those of the trace for arguments of its kind."""
        given = iter(leaves)
        return [next(given) if owner is None else owner[name] for owner, name in self._sources]

    def __call__(self, inputs: list[Any]) -> Any:
        """The results of the module."""
        results = self._program(inputs)
        return pytree.tree_unflatten(results, self._out_spec)


def converted(module: Any, example: Any, num_threads: int | None, accuracy: Accuracy) -> Converted:
    """The module for `convert`, whose arguments are checked here."""
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {arguments.kind(module)}")
    if module.training:
        is_exported = "eval" in vars(module)  # where torch.export puts a refusal
        how = "convert what it was exported from" if is_exported else "call module.eval()"
        raise ValueError(f"module must be in eval mode, for inference: {how}")
    args = example if isinstance(example, tuple) else (example,)
    leaves, spec = pytree.tree_flatten((args, {}))
    if any(isinstance(leaf, np.ndarray) for leaf in leaves):
        raise TypeError(f"example must be a tensor or a tuple of tensors, got {arguments.kind(example)}")
    made = Converted(module, num_threads, accuracy)
    if are_plain(leaves):
        with torch.no_grad(), torch.autocast("cpu", enabled=False), TRACING:
            made.traced(args, {}, _key(spec, leaves))
    return made


def _key(spec: Any, leaves: list[Any]) -> Any:
    """What is equal for calls for which the same trace stands."""
    return spec, torch.get_default_dtype(), *map(likeness, leaves)


def _exported(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ExportedProgram:
    """What torch.export makes of a module, in operators of aten that change no tensor.

    It takes those apart which torch.compile has in parts too, and not those with kernels of PyTorch's own. Recurrent
    layers would be some operators for each step, and those of `_INVERSES` and `_FACTORS` would have an effect.
    """
    table = default_decompositions()
    for operator in [*table]:
        is_composed = operator.has_kernel_for_dispatch_key(torch._C.DispatchKey.CompositeImplicitAutograd)
        is_kept = operator in OPERATORS or operator.overloadpacket in _KEPT or operator in _RESIZED
        if is_kept or not is_composed:
            table.pop(operator)
    # Of a tensor that is given twice, or is a parameter too, a trace would take one for the other at each later call.
    args, kwargs = pytree.tree_map_only(torch.Tensor, torch.Tensor.detach, (args, kwargs))
    try:
        exported = torch.export.export(module, args, kwargs).run_decompositions(table)
    except Exception as error:  # of the tracer's, and of the module's own
        raise ValueError(f"torch.export cannot trace the module: {error}") from error
    if exported.graph_signature.output_tokens:
        found = exported.graph.find_nodes(op="call_function", target=torch.ops.higher_order.with_effects)
        told = ", ".join(str(node.args[1]) for node in found)
        raise ValueError(f"the module has an effect beside its results in a call, as fastconv does not: {told}")
    changing = [spec for spec in exported.graph_signature.output_specs if spec.kind != OutputKind.USER_OUTPUT]
    if changing:
        told = ", ".join(str(spec.target) for spec in changing)
        raise ValueError(f"the module changes its buffers or its arguments in a call, as fastconv does not: {told}")
    return exported


def _tensors(module: nn.Module) -> Iterator[Any]:
    """The parameters, buffers and attributes of a module."""
    for part in module.modules():
        yield from (*part._parameters.values(), *part._buffers.values(), *vars(part).values())


def _structure(module: nn.Module) -> _Structure:
    """What a trace depends on beside tensors, in all parts of a module."""
    kept: list[Any] = []
    for part in module.modules():
        kept += vars(part), part._modules, part._forward_hooks, part._forward_pre_hooks
    before = [dict(one) for one in kept]
    parts = zip(module.modules(), kept[::4], before[::4], strict=True)
    return kept, before, [(now, then, name) for part, now, then in parts for name in _made_anew(part)]


def _made_anew(part: nn.Module) -> Iterator[str]:
    """The weights that each call makes of others, and puts into a part, before it reads them."""
    for hook in part._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm | SpectralNorm):
            yield hook.name
        elif isinstance(hook, BasePruningMethod):
            yield hook._tensor_name


def _is_as_it_was(now: list[Any], before: list[Any], made: list[tuple[dict[str, Any], dict[str, Any], str]]) -> bool:
    for here, there, name in made:
        there[name] = here.get(name)
    try:
        return now == before
    except Exception:  # of values that are not equal or unequal, such as a tensor in the place of another
        return False


def _source(module: nn.Module, exported: ExportedProgram, spec: InputSpec) -> tuple[Any, str]:
    """(the dictionary that has an input of a trace, its name there); (None, "") of an argument of the module."""
    if spec.kind == InputKind.USER_INPUT:
        return None, ""
    if spec.target in exported.constants and spec.kind == InputKind.CONSTANT_TENSOR:
        return exported.constants, spec.target
    path, _, name = str(spec.target).rpartition(".")
    owner = module.get_submodule(path)
    return (owner._parameters if spec.kind == InputKind.PARAMETER else owner._buffers), name
