"""Small models built like well-known ones give what ONNX Runtime gives, without steps by NumPy that fastconv has."""

import numpy as np
import pytest
from onnx import helper
from onnx_models import assert_close, by_onnxruntime, model

import fastconv


class Built:
    """Nodes and seeded constants of a model in the making."""

    def __init__(self, prefix="t"):
        self.nodes, self.constants, self.rng, self.prefix = [], {}, np.random.default_rng(0), prefix

    def add(self, kind, *sources, outputs=1, **attributes):
        """A node on tensors, or arrays as constants; returns the name of its result, or several."""
        names = []
        for source in sources:
            if isinstance(source, np.ndarray):
                self.constants[f"c{len(self.constants)}"] = source
                source = f"c{len(self.constants) - 1}"
            names.append(source)
        results = [f"{self.prefix}{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append((helper.make_node(kind, names, results, **attributes), None, None, None))
        return results[0] if outputs == 1 else results

    def weight(self, *shape):
        fan = int(np.prod(shape[1:]))
        return (self.rng.standard_normal(shape, np.float32) * np.sqrt(2 / fan)).astype(np.float32)

    def conv(self, x, channels, out, kernel=1, stride=1, groups=1):
        pads, sizes = [kernel // 2] * 4, (kernel, kernel)
        weight, bias = self.weight(out, channels // groups, *sizes), self.weight(out, 16)[:, 0]
        return self.add("Conv", x, weight, bias, strides=[stride, stride], pads=pads, group=groups)

    def silu(self, x):
        return self.add("Mul", x, self.add("Sigmoid", x))

    def proto(self, y, shapes):
        return model(self.nodes, self.constants, outputs=y if isinstance(y, tuple) else (y,), shapes=shapes)


def bottlenecks(b, x, channels):
    """Split, convolutions of a half, all halves joined: C2f of YOLOv8."""
    half = channels // 2
    x = b.silu(b.conv(x, channels, channels))
    first, second = b.add("Split", x, np.array([half, half]), outputs=2, axis=1)
    inner = b.silu(b.conv(b.silu(b.conv(second, half, half, 3)), half, half, 3))
    last = b.add("Add", second, inner)
    return b.silu(b.conv(b.add("Concat", first, second, last, axis=1), 3 * half, channels))


def detector():
    """A YOLO: space to depth by slices, SiLU, splits, pools in a row, a pyramid with nearest neighbours, heads."""
    b, ends = Built(), np.array([2**31 - 1] * 2)
    corners = [np.array([i, j]) for j in (0, 1) for i in (0, 1)]
    slices = [b.add("Slice", "x", corner, ends, np.array([2, 3]), np.array([2, 2])) for corner in corners]
    stem = b.silu(b.conv(b.add("Concat", *slices, axis=1), 12, 16, 3))
    high = bottlenecks(b, b.silu(b.conv(stem, 16, 32, 3, 2)), 32)
    low = b.silu(b.conv(high, 32, 16, 3, 2))
    pools = [low]
    for _ in range(3):
        pools.append(b.add("MaxPool", pools[-1], kernel_shape=[5, 5], pads=[2] * 4))
    low = b.silu(b.conv(b.add("Concat", *pools, axis=1), 64, 32))
    up = b.add(
        "Resize", low, "", np.array([1, 1, 2, 2], np.float32),
        mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor",
    )  # fmt: skip
    joined = bottlenecks(b, b.silu(b.conv(b.add("Concat", up, high, axis=1), 64, 32)), 32)
    flat = b.add("Reshape", b.conv(joined, 32, 21), np.array([0, 21, -1]))
    boxes, scores = b.add("Split", flat, np.array([16, 5]), outputs=2, axis=1)
    return b.proto((boxes, b.add("Sigmoid", scores)), {"x": ["N", 3, "H", "W"]}), [(1, 3, 64, 96), (2, 3, 32, 32)]


def segmenter():
    """A U-Net: transposed convolutions, joined with what was before, bilinear at the end."""
    b = Built()
    first = b.add("Relu", b.conv("x", 3, 8, 3))
    second = b.add("Relu", b.conv(b.add("MaxPool", first, kernel_shape=[2, 2], strides=[2, 2]), 8, 16, 3))
    up = b.add("ConvTranspose", second, b.weight(16, 8, 2, 2), b.weight(8, 9)[:, 0], strides=[2, 2])
    up = b.add("Elu", b.conv(b.add("Concat", up, first, axis=1), 16, 8, 3))
    up = b.add("ConvTranspose", up, b.weight(8, 4, 4, 4), strides=[2, 2], pads=[1] * 4)
    up = b.add("Mish", b.add("BatchNormalization", up, *np.abs(b.weight(4, 4)) + np.float32(0.5)))
    y = b.add(
        "Resize", up, "", np.array([1, 1, 2, 2], np.float32),
        mode="linear", coordinate_transformation_mode="half_pixel",
    )  # fmt: skip
    return b.proto(b.add("Softmax", b.conv(y, 4, 3), axis=1), {"x": ["N", 3, "H", "W"]}), [(1, 3, 16, 24), (3, 3, 8, 8)]


def audio():
    """Convolutions along one axis, with strides, groups and a transposed one back to the samples."""
    b = Built()
    y = b.add("Relu", b.add("Conv", "x", b.weight(16, 1, 9), strides=[4], pads=[4, 4]))
    y = b.add("Conv", y, b.weight(16, 1, 5), group=16, pads=[4, 4], dilations=[2])
    y = b.add("LeakyRelu", b.add("Conv", y, b.weight(24, 16, 1)), alpha=0.1)
    y = b.add("ConvTranspose", y, b.weight(24, 4, 8), strides=[4], pads=[2, 2])
    return b.proto(b.add("Tanh", y), {"x": ["N", 1, "T"]}), [(1, 1, 400), (3, 1, 64)]


def keywords():
    """Means over the frequencies, which are added to all of them, as in BC-ResNet; then coordinate attention."""
    b = Built()
    y = b.add("Relu", b.conv("x", 1, 8, 5))
    for _ in range(2):
        own = b.conv(y, 8, 8, 3, groups=8)
        mean = b.silu(b.conv(b.add("ReduceMean", own, np.array([2])), 8, 8, groups=8))
        y = b.add("Relu", b.add("Add", b.add("Add", b.conv(mean, 8, 8), own), y))
    rows, columns = (b.add("Sigmoid", b.conv(b.add("ReduceMean", y, np.array([axis])), 8, 8)) for axis in (-1, -2))
    y = b.add("Mul", b.add("Mul", y, rows), columns)
    return b.proto(b.conv(y, 8, 4), {"x": ["N", 1, "F", "T"]}), [(1, 1, 20, 31), (2, 1, 7, 9)]


@pytest.mark.parametrize("build", [detector, segmenter, audio, keywords])
def test_a_model_of_native_steps(build):
    proto, shapes = build()
    net = fastconv.onnx.load(proto, strict=True)
    for shape in shapes:
        x = np.random.default_rng(1).standard_normal(shape, np.float32)
        assert_close(net(x), by_onnxruntime(proto, x))
        parts = net.describe(shape).parts
        by_numpy = {name for name, part in parts.items() if not part.isa}
        kinds = {node.op_type for node in proto.graph.node if by_numpy & {node.name, *node.output}}
        assert by_numpy == set() or kinds <= {"Reshape", "Split"}, "views of what is no image any more"


def test_a_recogniser_of_text():
    """Convolutions to a row of columns, an LSTM by NumPy, a product and a softmax."""
    b = Built()
    y = b.add("Relu", b.conv("x", 3, 16, 3, 2))
    y = b.add("HardSwish", b.conv(y, 16, 16, 3, groups=16))
    y = b.add("MaxPool", y, kernel_shape=[8, 2], strides=[8, 2])
    y = b.add("Transpose", b.add("Squeeze", y, np.array([2])), perm=[2, 0, 1])
    weights = b.weight(1, 32, 16), b.weight(1, 32, 8), b.weight(1, 64) * 0
    y = b.add("LSTM", y, *weights, hidden_size=8)
    y = b.add("Transpose", b.add("Squeeze", y, np.array([1])), perm=[1, 0, 2])
    proto = b.proto(b.add("Softmax", b.add("MatMul", y, b.weight(8, 11)), axis=2), {"x": ["N", 3, 16, "W"]})
    for width in (64, 40):
        x = np.random.default_rng(1).standard_normal((2, 3, 16, width), np.float32)
        assert_close(fastconv.onnx.load(proto)(x), by_onnxruntime(proto, x))


def voices():
    """A spectrum by a convolution, its magnitudes, an encoder, an LSTM whose state goes in and out, for two rates."""
    b, branches = Built(), {}
    for name, size in ("then_branch", 32), ("else_branch", 16):
        inner = Built(name)
        inner.rng, inner.constants = np.random.default_rng(size), b.constants
        y = inner.add("Pad", "x", np.array([0, size // 4, 0, size // 4]), mode="reflect")
        y = inner.add("Conv", inner.add("Unsqueeze", y, np.array([1])), inner.weight(34, 1, size), strides=[size // 2])
        halves = [
            inner.add("Slice", y, np.array([i]), np.array([i + 17]), np.array([1]), np.array([1])) for i in (0, 17)
        ]
        squares = [inner.add("Pow", half, np.array(2, np.float32)) for half in halves]
        y = inner.add("Sqrt", inner.add("Add", *squares))
        y = inner.add("Relu", inner.add("Conv", y, inner.weight(8, 17, 3), pads=[1, 1], strides=[2]))
        weights = inner.weight(1, 32, 8), inner.weight(1, 32, 8), inner.weight(1, 64)
        state = [inner.add("Gather", "state", np.array([i])) for i in (0, 1)]
        y, h, c = inner.add(
            "LSTM", inner.add("Transpose", y, perm=[2, 0, 1]), *weights, "", *state, outputs=3, hidden_size=8
        )
        y = inner.add("Transpose", inner.add("Squeeze", y, np.array([1])), perm=[1, 2, 0])
        y = inner.add("Sigmoid", inner.add("Conv", inner.add("Relu", y), inner.weight(1, 8, 1)))
        y = inner.add("ReduceMean", inner.add("Squeeze", y, np.array([1])), np.array([1]))
        ends = [helper.make_tensor_value_info(one, 1, None) for one in (y, inner.add("Concat", h, c, axis=0))]
        branches[name] = helper.make_graph([node for node, *_ in inner.nodes], name, [], ends)
    kept = b.add("If", b.add("Equal", "rate", np.array(16000)), outputs=2, **branches)
    proto = model(b.nodes, b.constants, ("x", "state", "rate"), tuple(kept), shapes={"x": ["N", "T"], "rate": []})
    proto.graph.input[2].type.tensor_type.elem_type = 7
    return proto


def test_a_detector_of_voices():
    proto = voices()
    net = fastconv.onnx.load(proto, strict=True)
    for batch, length, rate in (1, 256, 16000), (3, 128, 8000), (1, 320, 16000):
        rng = np.random.default_rng(batch)
        x, state = rng.standard_normal((batch, length), np.float32), rng.standard_normal((2, batch, 8), np.float32)
        given = x, state, np.array(rate)
        assert_close(net(*given), by_onnxruntime(proto, *given), 1e-5)


def test_mobileone_in_training_form_is_one_convolution_a_block():
    """Parallel convolutions with their norms, and a norm of the input, as before they are fused."""
    net = Built()

    def norm(x):
        vectors = (net.rng.uniform(0.5, 1, 8).astype(np.float32) for _ in range(4))
        return net.add("BatchNormalization", x, *vectors)

    x = "x"
    for groups, kernel in ((8, 3), (1, 1)):
        terms = [norm(x), *(norm(net.conv(x, 8, 8, kernel, groups=groups)) for _ in range(4))]
        if kernel > 1:
            terms.append(norm(net.conv(x, 8, 8, groups=groups)))
        for term in terms[1:]:
            terms[0] = net.add("Add", terms[0], term)
        x = net.add("Relu", terms[0])
    proto, x = net.proto(x, {"x": (1, 8, 9, 7)}), np.random.default_rng(1).standard_normal((1, 8, 9, 7), np.float32)
    loaded = fastconv.onnx.load(proto)
    assert [step.operation for step in loaded.profile(x).steps if step.operation != "layout"] == ["conv2d", "conv2d"]
    assert_close(loaded(x), by_onnxruntime(proto, x))
