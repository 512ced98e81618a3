"""A graph of fastconv as the `Model` that the other engines take: nodes with ONNX's names and attributes, NCHW."""

from math import inf

import numpy as np

from benchmarks.engines.fastconv import nchw
from benchmarks.engines.model import Model
from fastconv._checks import activations
from fastconv._graph.graph import INPUT
from fastconv._graph.rewrites.scales import fold_scales


def exported(plan, x):
    """The `Model` of a plan of one input and one output, of layout NHWC, on x, (N, H, W, C).

    Batch norms are folded into convolutions, which not every engine does by itself.
    """
    graph = fold_scales(plan._graph)
    (output,) = graph.outputs
    exporter = _Exporter(graph.shapes(x.shape))
    for node in graph.nodes:
        exporter.add(node)
    y_shape = graph.result_shape(output, exporter.shapes)
    return Model(
        exporter.nodes, exporter.arrays, np.ascontiguousarray(nchw(x)), (y_shape[0], y_shape[-1], *y_shape[1:-1])
    )


class _Exporter:
    def __init__(self, shapes):
        self.shapes, self.nodes, self.arrays = shapes, [], {}
        self.tensors = {INPUT: INPUT}  # {node: the tensor that has its result}
        self.images = {}  # {tensor that is a flattened image: (height, width, channels)}

    def add(self, node):
        """Translate a node."""
        kind = node.operation.kind
        if kind not in TRANSLATIONS:
            raise NotImplementedError(f"{node.name} is a {kind}, which cannot be exported yet")
        self.tensors[node.name] = node.name
        TRANSLATIONS[kind](self, node, node.operation, [self.tensors[name] for name in node.inputs])

    def emit(self, op, inputs, output, **attributes):
        self.nodes.append({"op": op, "inputs": inputs, "output": output, "attributes": attributes})

    def emit_activated(self, op, inputs, node, **attributes):
        """A node, then that of the bounds which its operation has, if any."""
        low, high = activations.bounds(node.operation.activation)
        if (low, high) == (-inf, inf):
            self.emit(op, inputs, node.name, **attributes)
        else:
            self.emit(op, inputs, f"{node.name}.linear", **attributes)
            self.emit_clip(node.name, [f"{node.name}.linear"], low, high)

    def emit_clip(self, name, inputs, low, high):
        if (low, high) == (0, inf):
            self.emit("Relu", inputs, name)
        else:
            bounds = [self.keep(f"{name}.{end}", np.float32(value)) for end, value in (("low", low), ("high", high))]
            self.emit("Clip", [*inputs, *bounds], name)

    def keep(self, name, array):
        """The name of an array as a constant."""
        self.arrays[name] = np.ascontiguousarray(array, np.float32).reshape(np.shape(array))
        return name


def _window(shape):
    """Attributes of a convolution's or a pooling's shape."""
    (top, bottom), (left, right) = shape.padding
    return {"kernel_shape": shape.kernel, "strides": shape.stride, "pads": (top, left, bottom, right)}


def _conv(exporter, node, conv, inputs):
    shape = conv.geometry.at(exporter.shapes[node.inputs[0]])
    x, *residuals = inputs
    constants = [exporter.keep(f"{node.name}.weight", conv.weight.transpose(3, 2, 0, 1))]
    if conv.bias is not None:
        constants.append(exporter.keep(f"{node.name}.bias", conv.bias))
    geometry = {**_window(shape), "dilations": shape.dilation, "group": shape.groups}
    if residuals:
        exporter.emit("Conv", [x, *constants], f"{node.name}.product", **geometry)
        exporter.emit_activated("Add", [f"{node.name}.product", *residuals], node)
    else:
        exporter.emit_activated("Conv", [x, *constants], node, **geometry)


def _linear(exporter, node, linear, inputs):
    """Of vectors; the rows of the matrix are put in the order in which an NCHW image is flattened."""
    (x,), rows = inputs, linear.weight[0, 0]
    if x in exporter.images:
        rows = rows.reshape(*exporter.images[x], -1).transpose(2, 0, 1, 3).reshape(rows.shape)
    constants = [exporter.keep(f"{node.name}.weight", rows.T)]
    if linear.bias is not None:
        constants.append(exporter.keep(f"{node.name}.bias", linear.bias))
    exporter.emit_activated("Gemm", [x, *constants], node, transB=1)


def _flatten(exporter, node, flatten, inputs):
    exporter.emit("Flatten", inputs, node.name, axis=1)
    exporter.images[node.name] = exporter.shapes[node.inputs[0]][1:]


def _pool(exporter, node, pool, inputs):
    if pool.geometry is None:
        exporter.emit("GlobalMaxPool" if pool.combine == "max" else "GlobalAveragePool", inputs, node.name)
        return
    attributes = _window(pool.geometry.at(exporter.shapes[node.inputs[0]]))
    if pool.geometry.ceil_mode:
        (top, bottom), (left, right) = pool.geometry.padding
        attributes |= {"pads": (top, left, bottom, right), "ceil_mode": 1}
    if pool.combine == "avg":
        attributes["count_include_pad"] = int(pool.geometry.count_include_pad)
    exporter.emit("MaxPool" if pool.combine == "max" else "AveragePool", inputs, node.name, **attributes)


def _scale(exporter, node, scaled, inputs):
    """Any scale and shift, as the norm of a mean of 0 and a variance of 1."""
    scale, shift = scaled.vectors
    values = {"scale": scale, "shift": shift, "mean": np.zeros(scale.shape), "variance": np.ones(scale.shape)}
    constants = [exporter.keep(f"{node.name}.{name}", array) for name, array in values.items()]
    exporter.emit_activated("BatchNormalization", [*inputs, *constants], node, epsilon=0.0)


def _local_response_norm(exporter, node, norm, inputs):
    exporter.emit("LRN", inputs, node.name, size=norm.size, alpha=norm.alpha, beta=norm.beta, bias=norm.k)


def _clip(exporter, node, clip, inputs):
    exporter.emit_clip(node.name, inputs, *activations.bounds(clip.activation))


def _identity(exporter, node, operation, inputs):
    exporter.tensors[node.name] = inputs[0]


TRANSLATIONS = {  # by the kind of the operation
    "add": lambda exporter, node, add, inputs: exporter.emit_activated("Add", inputs, node),
    "avg_pool2d": _pool,
    "batch_norm": _scale,
    "clip": _clip,
    "concat": lambda exporter, node, concat, inputs: exporter.emit("Concat", inputs, node.name, axis=1),
    "conv2d": _conv,
    "dropout": _identity,
    "flatten": _flatten,
    "global_avg_pool2d": _pool,
    "global_max_pool2d": _pool,
    "identity": _identity,
    "linear": _linear,
    "local_response_norm": _local_response_norm,
    "max_pool2d": _pool,
    "relu": _clip,
    "relu6": _clip,
    "scale": _scale,
    "softmax": lambda exporter, node, softmax, inputs: exporter.emit("Softmax", inputs, node.name, axis=1),
}
