"""From a file, its bytes or a ModelProto to a `Program`: everything about the file itself is checked here."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx import helper
from onnx.inliner import inline_local_functions

from fastconv.onnx import _tensors
from fastconv.onnx._program import Input, Node, NodeError, Program

OLDEST_OPSET = 7
_MAX_NODES = 2**20  # of functions in their places
_KNOWN_DOMAINS = ("", "ai.onnx.ml")
_CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")
_TRAINING = ("Adagrad", "Adam", "Gradient", "Momentum")


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
    nodes = _in_order(_unique(_nodes(graph.node, opsets, folder)), known)
    outputs = tuple(info.name for info in graph.output)
    known.update(name for node in nodes for name in node.outputs)
    if not outputs:
        raise ValueError("the model has no output")
    for name in outputs:
        if name not in known:
            raise ValueError(f"output {name!r} of the model is not computed by any node")
    return Program(
        _needed(nodes, outputs),
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


def _nodes(protos: Iterable[onnx.NodeProto], opsets: dict[str, int], folder: str | None) -> list[Node]:
    nodes = []
    for i, proto in enumerate(protos):
        domain = proto.domain if proto.domain != "ai.onnx" else ""
        label = proto.name or next(filter(None, proto.output), f"number {i}")
        node = Node(
            label, proto.op_type, domain, opsets.get(domain, 0), tuple(proto.input), tuple(proto.output), {}, proto
        )
        with node.named():
            schema = _schema(node)
            attributes = _attributes(proto, schema, folder)
        nodes.append(
            Node(label, node.kind, domain, node.version, _without_ends(node.inputs), node.outputs, attributes, proto)
        )
    return nodes


def _without_ends(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names without those at the end that are left out."""
    while names and not names[-1]:
        names = names[:-1]
    return names


def _schema(node: Node) -> Any:
    """The standard's declaration of a node's operator, which fits its inputs and outputs."""
    if node.domain not in _KNOWN_DOMAINS or not node.version:
        if node.domain.startswith("ai.onnx") and "training" in node.domain:
            raise ValueError("it is an operator of training, and fastconv computes forward passes alone")
        raise ValueError(f"fastconv does not know its domain {node.domain!r}, or the model imports no opset of it")
    if node.kind in _CONTROL_FLOW:
        raise ValueError("control flow is not supported")
    if node.kind in _TRAINING:
        raise ValueError("it is an operator of training, and fastconv computes forward passes alone")
    try:
        schema = onnx.defs.get_schema(node.kind, node.version, node.domain)
    except onnx.defs.SchemaError:
        raise ValueError(f"there is no such operator in opset {node.version}") from None
    if schema.deprecated and node.kind != "GroupNormalization":  # whose scale has another shape from opset 21 on
        raise ValueError(f"the operator is no longer one in opset {node.version}")
    for what, names, least, most in (
        ("inputs", node.inputs, schema.min_input, schema.max_input),
        ("outputs", node.outputs, schema.min_output, schema.max_output),
    ):
        if not least <= len(names) <= most:
            wanted = str(least) if least == most else f"{least} to {most}" if most < 2**31 - 1 else f"{least} or more"
            raise ValueError(f"it must have {wanted} {what}, got {len(names)}")
    for i in range(schema.min_input):
        if not node.inputs[i] and schema.inputs[min(i, len(schema.inputs) - 1)].option.name == "Single":
            raise ValueError(f"its input {i} must not be left out")
    return schema


def _attributes(proto: onnx.NodeProto, schema: Any, folder: str | None) -> dict[str, Any]:
    """{name: value} of a node's attributes and the defaults of the others."""
    values = {
        name: _value(one.default_value, folder)
        for name, one in schema.attributes.items()
        if one.default_value.type != onnx.AttributeProto.UNDEFINED
    }
    for given in proto.attribute:
        known = schema.attributes.get(given.name)
        if known is None:
            raise ValueError(f"it has no attribute {given.name!r} in this opset")
        if given.type != int(known.type.value):
            wanted, got = known.type.name, onnx.AttributeProto.AttributeType.Name(given.type)
            raise ValueError(f"attribute {given.name!r} must be of type {wanted}, got {got}")
        values[given.name] = _value(given, folder)
    for name, known in schema.attributes.items():
        if known.required and name not in values:
            raise ValueError(f"attribute {name!r} is missing")
    return values


def _value(attribute: onnx.AttributeProto, folder: str | None) -> Any:
    if attribute.type == onnx.AttributeProto.TENSOR:
        return _tensors.dense(attribute.t, f"attribute {attribute.name!r}", folder)
    if attribute.type == onnx.AttributeProto.SPARSE_TENSOR:
        return _tensors.from_sparse(attribute.sparse_tensor, f"attribute {attribute.name!r}", folder)
    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if attribute.type == onnx.AttributeProto.STRINGS:
        return [one.decode() for one in value]
    return list(value) if attribute.type in (onnx.AttributeProto.INTS, onnx.AttributeProto.FLOATS) else value


def _unique(nodes: list[Node]) -> list[Node]:
    """The nodes, checked to have outputs of their own."""
    computed: dict[str, Node] = {}
    for node in nodes:
        for name in filter(None, node.outputs):
            if name in computed:
                raise NodeError(f"{node}: its output {name!r} is that of {computed[name]} too")
            computed[name] = node
    return nodes


def _in_order(nodes: list[Node], known: set[str]) -> list[Node]:
    """The nodes, each after those that it reads."""
    computed = {name for node in nodes for name in node.outputs if name}
    for node in nodes:
        for name in node.outputs:
            if name in known:
                raise NodeError(f"{node}: its output {name!r} is an input or initializer of the model too")
        for name in filter(None, node.inputs):
            if name not in known and name not in computed:
                raise NodeError(f"{node}: its input {name!r} is not there: nothing computes it")
    lacking = [{name for name in node.inputs if name and name not in known} for node in nodes]
    readers: dict[str, list[int]] = {name: [] for name in computed}
    for i, names in enumerate(lacking):
        for name in names:
            readers[name].append(i)
    ready, ordered = [i for i, names in enumerate(lacking) if not names], list[Node]()  # a heap: the file's order
    while ready:
        node = nodes[heappop(ready)]
        ordered.append(node)
        for name in filter(None, node.outputs):
            for i in readers[name]:
                lacking[i].remove(name)
                if not lacking[i]:
                    heappush(ready, i)
    for node, names in zip(nodes, lacking, strict=True):
        if names:
            raise NodeError(f"{node}: it reads what is made of its own result: the nodes form a cycle")
    return ordered


def _needed(nodes: Sequence[Node], outputs: Iterable[str]) -> tuple[Node, ...]:
    """The nodes that the outputs need."""
    needed, kept = set(outputs), list[Node]()
    for node in reversed(nodes):
        if not needed.isdisjoint(node.outputs):
            needed.update(node.inputs)
            kept.append(node)
    return tuple(kept[::-1])
