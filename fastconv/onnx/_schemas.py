"""What the standard says of an operator: which a node may be, and what it is given."""

from typing import Any

import onnx
from onnx import helper

from fastconv.onnx import _tensors
from fastconv.onnx._program import Node

_KNOWN_DOMAINS = ("", "ai.onnx.ml")
_CONTROL_FLOW = ("Loop", "Scan", "SequenceMap")
_TRAINING = ("Adagrad", "Adam", "Gradient", "Momentum")


def schema_of(node: Node) -> Any:
    """The standard's declaration of a node's operator, which fits its inputs and outputs."""
    if node.domain not in _KNOWN_DOMAINS or not node.version:
        if node.domain.startswith("ai.onnx") and "training" in node.domain:
            raise ValueError("it is an operator of training, and fastconv computes forward passes alone")
        told = f"fastconv does not know its domain {node.domain!r}"
        if node.domain == "com.microsoft":
            told += ", ONNX Runtime's own, whose tools write so what they quantise or, above ORT_ENABLE_BASIC, fuse"
            raise ValueError(told)
        raise ValueError(f"{told}, or the model imports no opset of it")
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


def attributes_of(proto: onnx.NodeProto, schema: Any, folder: str | None) -> dict[str, Any]:
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
