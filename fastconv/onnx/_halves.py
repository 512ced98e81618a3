"""Models in float16 are computed in float32: processors multiply that, and NumPy takes hundreds of times as long.

What the file has in float16, constants and attributes, is read as float32, its inputs are converted where they enter,
and its results are rounded once, at the end. Nodes that convert to float16 convert to float32.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

_PRODUCTS = "Conv", "ConvTranspose", "Gemm", "MatMul"
_TYPES = "dtype", "output_datatype", "to"  # attributes that name the type of a result


def is_half(graph: onnx.GraphProto) -> bool:
    """Whether it has convolutions or products with weights in float16, and says the type of each of its outputs."""
    halves = {one.name for one in graph.initializer if one.data_type == TensorProto.FLOAT16}
    for node in graph.node:
        if node.op_type == "Constant":
            halves.update(node.output if any(_is_half_tensor(one) for one in node.attribute) else ())
    has_products = any(node.op_type in _PRODUCTS and not halves.isdisjoint(node.input) for node in graph.node)
    return has_products and all(one.type.tensor_type.elem_type for one in graph.output)


def widened(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes of the graph in float32, with those that convert its inputs and its outputs."""
    inputs = [one.name for one in graph.input if _is_half_info(one)]
    computed = {name for node in graph.node for name in node.output}
    outputs = [one.name for one in graph.output if _is_half_info(one) and one.name in computed]
    names = {name: f"{name} in float32" for name in (*inputs, *outputs)}
    nodes = [_cast(name, names[name], TensorProto.FLOAT) for name in inputs]
    nodes += [_cast(names[name], name, TensorProto.FLOAT16) for name in outputs]
    return [*nodes, *_renamed(graph.node, names)]


def widen(constants: dict[str, Any], kept: Iterable[str]) -> None:
    """Have the constants in float32, but those that are kept."""
    for name in constants.keys() - {*kept}:
        array = constants[name]
        if isinstance(array, np.ndarray) and array.dtype == np.float16:
            constants[name] = array.astype(np.float32)
            constants[name].flags.writeable = False


def _cast(source: str, result: str, to: int) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [result], f"{source} → {result}", to=to)


def _renamed(protos: Iterable[onnx.NodeProto], names: Mapping[str, str]) -> list[onnx.NodeProto]:
    """Copies of nodes, those of their branches too, in float32."""
    nodes = list[onnx.NodeProto]()
    for proto in protos:
        node = onnx.NodeProto()
        node.CopyFrom(proto)
        node.input[:] = [names.get(name, name) for name in proto.input]
        node.output[:] = [names.get(name, name) for name in proto.output]
        for attribute in node.attribute:
            if attribute.name in _TYPES and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.FLOAT
            elif _is_half_tensor(attribute):
                array = numpy_helper.to_array(attribute.t).astype(np.float32)
                attribute.t.CopyFrom(numpy_helper.from_array(array, attribute.t.name))
            elif attribute.type == AttributeProto.GRAPH:
                inner = _renamed(attribute.g.node, names)
                del attribute.g.node[:]
                attribute.g.node.extend(inner)
                for info in attribute.g.output:
                    info.name = names.get(info.name, info.name)
        nodes.append(node)
    return nodes


def _is_half_tensor(attribute: AttributeProto) -> bool:
    return attribute.type == AttributeProto.TENSOR and attribute.t.data_type == TensorProto.FLOAT16


def _is_half_info(info: onnx.ValueInfoProto) -> bool:
    return info.type.tensor_type.elem_type == TensorProto.FLOAT16
