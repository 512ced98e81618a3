"""A graph of fastconv as the `Model` that the other engines take: nodes with ONNX's names and attributes, NCHW."""

import numpy as np

from benchmarks.engines.model import Model
from fastconv._graph.graph import INPUT
from fastconv._graph.operations.activations import Relu
from fastconv._graph.operations.arithmetic import Add
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.pools import Pool
from fastconv._graph.operations.shaping import Concat
from fastconv._checks.shapes import image_shape


def exported(plan, x):
    """The `Model` of a plan, of layout NHWC, on x, (N, H, W, C)."""
    graph = plan._graph
    exporter = _Exporter(graph.shapes(x.shape))
    for node in graph.nodes:
        exporter.add(node)
    nodes = exporter.nodes
    if nodes[-1]["output"] != graph.output:
        raise NotImplementedError("the output of a graph must be its last node")
    n, height, width, channels = image_shape(exporter.shapes[graph.output], graph.layout)
    x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    return Model(nodes, exporter.arrays, x, (n, channels, height, width))


class _Exporter:
    def __init__(self, shapes):
        self.shapes, self.nodes, self.arrays = shapes, [], {}
        self.names = {INPUT: INPUT}  # {node: the tensor that has its result}

    def add(self, node):
        """Translate a node."""
        translate = TRANSLATIONS.get(type(node.operation))
        if translate is None:
            raise NotImplementedError(f"{node.name} is a {node.operation.kind}, which cannot be exported yet")
        self.names[node.name] = node.name
        translate(self, node, node.operation, [self.names[name] for name in node.inputs])

    def emit(self, op, inputs, output, **attributes):
        node = {"op": op, "inputs": inputs, "output": output, "attributes": attributes}
        self.nodes.append(node)

    def emit_activated(self, op, inputs, node, **attributes):
        """A node, then that of the activation of its operation."""
        if node.operation.activation is None:
            self.emit(op, inputs, node.name, **attributes)
        else:
            self.emit(op, inputs, f"{node.name}.linear", **attributes)
            self.emit("Relu", [f"{node.name}.linear"], node.name)

    def keep(self, name, array):
        """The name of an array as a constant."""
        self.arrays[name] = np.ascontiguousarray(array)
        return name


def _window(shape):
    """Attributes of a convolution's or a pooling's shape."""
    (top, bottom), (left, right) = shape.padding
    pads = [top, left, bottom, right]
    return {"kernel_shape": list(shape.kernel), "strides": list(shape.stride), "pads": pads}


def _conv(exporter, node, conv, inputs):
    shape = conv.geometry.at(exporter.shapes[node.inputs[0]])
    x, *residuals = inputs
    constants = [exporter.keep(f"{node.name}.weight", conv.weight.transpose(3, 2, 0, 1))]
    if conv.bias is not None:
        constants.append(exporter.keep(f"{node.name}.bias", conv.bias))
    geometry = {**_window(shape), "dilations": list(shape.dilation), "group": shape.groups}
    if residuals:
        exporter.emit("Conv", [x, *constants], f"{node.name}.product", **geometry)
        exporter.emit_activated("Add", [f"{node.name}.product", *residuals], node)
    else:
        exporter.emit_activated("Conv", [x, *constants], node, **geometry)


def _pool(exporter, node, pool, inputs):
    if pool.geometry is None:
        exporter.emit("GlobalAveragePool", inputs, node.name)
        return
    window = _window(pool.geometry.at(exporter.shapes[node.inputs[0]]))
    counted = {} if pool.combine == "max" else {"count_include_pad": 1}
    exporter.emit("MaxPool" if pool.combine == "max" else "AveragePool", inputs, node.name, **window, **counted)


def _identity(exporter, node, operation, inputs):
    exporter.names[node.name] = inputs[0]


TRANSLATIONS = {
    Operation: _identity,
    Conv: _conv,
    Pool: _pool,
    Relu: lambda exporter, node, relu, inputs: exporter.emit("Relu", inputs, node.name),
    Add: lambda exporter, node, add, inputs: exporter.emit_activated("Add", inputs, node),
    Concat: lambda exporter, node, concat, inputs: exporter.emit("Concat", inputs, node.name, axis=1),
}
