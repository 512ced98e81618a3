"""Small ONNX models for tests, and what ONNX Runtime gives for them."""

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

import fastconv

FLOAT, DOUBLE = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE


def model(nodes, constants, inputs=("x",), outputs=("y",), opset=20, sparse=(), dtype=FLOAT, shapes=None):
    """A model of nodes (operator, inputs, outputs, attributes) with these arrays, or TensorProtos, as initializers."""
    made = [
        helper.make_node(kind, sources.split(), results.split(), **attributes) if isinstance(kind, str) else kind
        for kind, sources, results, attributes in nodes
    ]
    tensors = [
        value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(np.asarray(value), name)
        for name, value in constants.items()
    ]
    shapes = shapes or {}
    given = [helper.make_tensor_value_info(name, dtype, shapes.get(name)) for name in inputs]
    results = [onnx.ValueInfoProto(name=name) for name in outputs]
    graph = helper.make_graph(made, "graph", given, results, tensors, sparse_initializer=sparse)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    proto.ir_version = 10
    return proto


def one(kind, x, *constants, opset=20, outputs=1, **attributes):
    """A model of one node whose other inputs are constants, None for one that is left out."""
    names = ["x", *("" if value is None else f"c{i}" for i, value in enumerate(constants))]
    node = helper.make_node(kind, names, [f"y{i}" for i in range(outputs)], **attributes)
    arrays = {f"c{i}": value for i, value in enumerate(constants) if value is not None}
    dtype = helper.np_dtype_to_tensor_dtype(x.dtype)
    return model([(node, None, None, None)], arrays, outputs=node.output, opset=opset, dtype=dtype)


def run(kind, x, *constants, **attributes):
    """The results of such a model for x in float32."""
    x = np.asarray(x, np.float32)
    return fastconv.onnx.load(one(kind, x, *constants, **attributes))(x)


def as_image(values):
    """Values as an image of one channel."""
    return np.asarray(values, np.float32)[None, None]


def normal(*shape):
    """The same numbers for the same shape."""
    return np.random.default_rng(shape).standard_normal(shape, np.float32) / 8


def bottleneck(opset=20, activation="Relu"):
    """Two results of a network with a bottleneck, as exporters write it."""
    nodes = [
        ("Conv", "x reduce", "a", {}),
        (activation, "a", "b", {}),
        ("Conv", "b wide", "c", {"pads": [1, 1, 1, 1]}),
        (activation, "c", "d", {}),
        ("Conv", "d restore", "e", {}),
        ("Add", "e x", "f", {}),
        ("Relu", "f", "features", {}),
        ("ReduceMean", "features axes", "h", {"keepdims": 0}),
        ("Gemm", "h matrix", "scores", {"transB": 1}),
    ]
    weights = {"reduce": normal(4, 8, 1, 1), "wide": normal(4, 4, 3, 3), "restore": normal(8, 4, 1, 1)}
    weights |= {"matrix": normal(5, 8), "axes": np.array([2, 3])}
    return model(nodes, weights, outputs=["features", "scores"], opset=opset)


def by_onnxruntime(proto, *inputs):
    """What ONNX Runtime gives, a list."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    given = proto if isinstance(proto, str) else proto.SerializeToString()
    session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))


def assert_close(results, wanted, share=1e-4):
    """Check each result against another, within a share of its largest value."""
    results = results if isinstance(results, tuple) else (results,)
    assert len(results) == len(wanted)
    for result, other in zip(results, wanted, strict=True):
        assert result.shape == other.shape
        assert result.dtype == other.dtype
        np.testing.assert_allclose(result, other, rtol=0, atol=share * np.abs(other).max(initial=1e-30))
