"""Models in float16 are computed in float32: processors multiply that, and NumPy takes hundreds of times as long.

What the file has in float16, constants and attributes, is read as float32, its inputs are converted where they enter,
and its results are rounded once, at the end. Nodes that convert to float16 convert to float32.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from fastconv.onnx import _tensors

_PRODUCTS = "Conv", "ConvTranspose", "Gemm", "MatMul"
_TYPES = "dtype", "output_datatype", "output_dtype", "softmax_precision", "to"  # attributes that name a type


def is_half(graph: onnx.GraphProto) -> bool:
    """Whether it has convolutions or products with weights in float16, says the type of each of its outputs, and looks
    at no bits of a number.
    """
    halves = {one.name for one in graph.initializer if one.data_type == TensorProto.FLOAT16}
    for node in graph.node:
        if node.op_type == "Constant":
            halves.update(node.output if any(map(_half_tensor, node.attribute)) else ())
    has_products = any(node.op_type in _PRODUCTS and not halves.isdisjoint(node.input) for node in graph.node)
    is_typed = all(one.type.tensor_type.elem_type for one in graph.output)
    return has_products and is_typed and all(node.op_type != "BitCast" for node in _nodes(graph))


def widened(graph: onnx.GraphProto, folder: str | None) -> list[onnx.NodeProto]:
    """The nodes of the graph in float32, with those that convert its inputs and its outputs."""
    inputs = [one.name for one in graph.input if _is_half_info(one)]
    computed = {name for node in graph.node for name in node.output}
    outputs = [one.name for one in graph.output if _is_half_info(one) and one.name in computed]
    names = {name: f"{name} in float32" for name in (*inputs, *outputs)}
    nodes = [_cast(name, names[name], TensorProto.FLOAT) for name in inputs]
    nodes += [_cast(names[name], name, TensorProto.FLOAT16) for name in outputs]
    return [*nodes, *_renamed(graph.node, names, folder)]


def widen(constants: dict[str, Any], kept: Iterable[str]) -> None:
    """Have the constants in float32, but those that are kept."""
    for name in constants.keys() - {*kept}:
        array = constants[name]
        if isinstance(array, np.ndarray) and array.dtype == np.float16:
            constants[name] = array.astype(np.float32)
            constants[name].flags.writeable = False


def _cast(source: str, result: str, to: int) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [result], f"{source} → {result}", to=to)


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Its nodes and those of their branches."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            yield from _nodes(attribute.g)


def _renamed(protos: Iterable[onnx.NodeProto], names: Mapping[str, str], folder: str | None) -> list[onnx.NodeProto]:
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
            elif (tensor := _half_tensor(attribute)) is not None:
                _widen_tensor(tensor, folder)
            elif attribute.type == AttributeProto.GRAPH:
                own = {_name(one) for one in (*attribute.g.initializer, *attribute.g.sparse_initializer)}
                outside = {name: other for name, other in names.items() if name not in own}
                inner = _renamed(attribute.g.node, outside, folder)
                del attribute.g.node[:]
                attribute.g.node.extend(inner)
                for info in attribute.g.output:
                    info.name = outside.get(info.name, info.name)
        nodes.append(node)
    return nodes


def _name(initializer: onnx.TensorProto | onnx.SparseTensorProto) -> str:
    return initializer.name if isinstance(initializer, onnx.TensorProto) else initializer.values.name


def _widen_tensor(tensor: onnx.TensorProto, folder: str | None) -> None:
    """Have the numbers of a tensor in float32; one that cannot be read stays, of which its reader tells."""
    try:
        array = _tensors.dense(tensor, "", folder)
    except ValueError:
        return
    tensor.CopyFrom(numpy_helper.from_array(array.astype(np.float32), tensor.name))


def _half_tensor(attribute: AttributeProto) -> onnx.TensorProto | None:
    """The numbers of an attribute in float16, None of any other."""
    tensor = attribute.sparse_tensor.values if attribute.type == AttributeProto.SPARSE_TENSOR else attribute.t
    return tensor if tensor.data_type == TensorProto.FLOAT16 else None


def _is_half_info(info: onnx.ValueInfoProto) -> bool:
    return info.type.tensor_type.elem_type == TensorProto.FLOAT16
