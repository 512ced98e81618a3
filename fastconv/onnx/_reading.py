"""From a file, its bytes or a ModelProto to a `Program`: everything about the file itself is checked here."""

import os
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx.inliner import inline_local_functions

from fastconv.onnx import _float16, _tensors
from fastconv.onnx._nodes import Reader
from fastconv.onnx._ordering import in_order, needed, unique
from fastconv.onnx._program import Input, Program

OLDEST_OPSET = 7
_MAX_NODES = 2**20  # of functions in their places


def read(source: "str | os.PathLike[str] | bytes | onnx.ModelProto") -> Program:
    """The `Program` of a file, of the bytes of one, or of a ModelProto."""
    model, folder = _model(source)
    opsets = _opsets(model)
    if model.functions:
        try:
            _check_functions(model)
            model = inline_local_functions(model)
        except Exception as error:
            raise ValueError(f"the functions of the model cannot be put in their places: {error}") from error
    graph = model.graph
    constants: dict[str, Any] = {}
    for tensor in graph.initializer:
        _only_once(tensor.name, constants)
        constants[tensor.name] = _tensors.dense(tensor, f"initializer {tensor.name!r}", folder)
    for sparse in graph.sparse_initializer:
        _only_once(sparse.values.name, constants)
        constants[sparse.values.name] = _tensors.from_sparse(sparse, f"initializer {sparse.values.name!r}", folder)
    inputs = [_input(info) for info in graph.input]
    for name, times in Counter(one.name for one in inputs).items():
        if times > 1 or not name:
            raise ValueError(f"each input of the model must have a name of its own, got {name!r} {times} times")
    known = {*constants, *(one.name for one in inputs)}
    protos, is_half = graph.node, _float16.is_half(graph)
    if is_half:
        protos = _float16.widened(graph, folder)
    nodes = in_order(unique(Reader(opsets, folder, constants).nodes(protos, known)), known)
    outputs = tuple(info.name for info in graph.output)
    if is_half:
        _float16.widen(constants, {*(one.name for one in inputs), *outputs})
    known.update(name for node in nodes for name in node.outputs)
    if not outputs:
        raise ValueError("the model has no output")
    for name in outputs:
        if name not in known:
            raise ValueError(f"output {name!r} of the model is not computed by any node")
    return Program(
        needed(nodes, outputs),
        constants,
        tuple(one for one in inputs if one.name not in constants),
        outputs,
        tuple(one for one in inputs if one.name in constants),
        opsets,
    )


def _model(source: Any) -> tuple[onnx.ModelProto, str | None]:
    """(the ModelProto, the folder of its file if it has one)."""
    if isinstance(source, onnx.ModelProto):
        return source, None
    if isinstance(source, str | os.PathLike):
        content, folder = Path(source).read_bytes(), str(Path(source).parent)
    elif isinstance(source, bytes | bytearray | memoryview):
        content, folder = bytes(source), None
    else:
        raise TypeError(f"model must be a path, bytes or a ModelProto, got {type(source).__name__}")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError as error:
        raise ValueError(f"model is not an ONNX file, or is damaged: {error}") from None
    if not model.HasField("graph"):
        raise ValueError("model is not an ONNX file, or is damaged: it has no graph")
    return model, folder


def _check_functions(model: onnx.ModelProto) -> None:
    """Check how many nodes they are once all are in their places: functions of functions grow exponentially."""
    bodies = {(one.domain, one.name, one.overload): one.node for one in model.functions}

    @cache
    def size(key: tuple[str, str, str]) -> int:
        return count(bodies[key])

    def count(nodes: Iterable[onnx.NodeProto]) -> int:
        total = 0
        for node in nodes:
            key = node.domain, node.op_type, node.overload
            total += size(key) if key in bodies else 1
            total += sum(count(graph.node) for one in node.attribute for graph in (one.g, *one.graphs))
        return total

    try:
        total = count(model.graph.node)
    except RecursionError:
        raise ValueError("they call each other in a cycle, or too deeply") from None
    if total > _MAX_NODES:
        raise ValueError(f"they would be {total} nodes, more than {_MAX_NODES}")


def _opsets(model: onnx.ModelProto) -> dict[str, int]:
    """{domain: version}, of which that of the standard's operators is one that is known."""
    given = {one.domain if one.domain != "ai.onnx" else "": one.version for one in model.opset_import}
    newest = onnx.defs.onnx_opset_version()
    version = given.get("", 1 if model.ir_version < 3 else None)
    if version is None and any(node.domain in ("", "ai.onnx") for node in model.graph.node):
        raise ValueError("the model names no opset")
    if version is not None and not OLDEST_OPSET <= version <= newest:
        raise ValueError(
            f"the model has opset {version}, known are {OLDEST_OPSET} to {newest} with onnx {onnx.__version__}"
        )
    return given


def _only_once(name: str, constants: dict[str, Any]) -> None:
    if name in constants or not name:
        raise ValueError(f"each initializer must have a name of its own, got {name!r}")


def _input(info: onnx.ValueInfoProto) -> Input:
    if info.type.WhichOneof("value") != "tensor_type":
        return Input(info.name, None, None)
    tensor = info.type.tensor_type
    dtype = _tensors.dtype(tensor.elem_type, f"input {info.name!r}")
    if not tensor.HasField("shape"):
        return Input(info.name, dtype, None)
    # Some exporters write -1 or 0 for a size that is known only in a call.
    sizes = (axis.dim_value if axis.dim_value > 0 else axis.dim_param or None for axis in tensor.shape.dim)
    return Input(info.name, dtype, tuple(sizes))
