"""Recurrent layers, on the kernels and by NumPy, as ONNX Runtime computes them."""

import signal
import textwrap
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import assert_close, by_onnxruntime, one

import fastconv

RNG = np.random.default_rng(0)
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
STEPS, BATCH, INPUTS, HIDDEN = 7, 3, 5, 4


def normal(*shape):
    return RNG.standard_normal(shape, np.float32)


def recurrent(kind, direction="forward", opset=14, lengths=False, starts=False, peepholes=False, **attributes):
    """A layer of seeded weights that gives all results it has, and its input."""
    ways, rows = 2 if direction == "bidirectional" else 1, GATES[kind] * HIDDEN
    given = [normal(ways, rows, INPUTS), normal(ways, rows, HIDDEN), normal(ways, 2 * rows)]
    states = 2 if kind == "LSTM" else 1
    given.append(np.array([7, 2, 5], np.int32) if lengths else None)
    given += [normal(ways, BATCH, HIDDEN) if starts else None for _ in range(states)]
    given += [normal(ways, 3 * HIDDEN)] if peepholes else []
    attributes |= {"direction": direction, "hidden_size": HIDDEN}
    x = normal(STEPS, BATCH, INPUTS)
    return one(kind, x, *given, opset=opset, outputs=1 + states, **attributes), x


LAYERS = {
    "plain": {},
    "reverse": {"direction": "reverse"},
    "both": {"direction": "bidirectional"},
    "lengths": {"direction": "bidirectional", "lengths": True, "starts": True},
    "old": {"opset": 7, "starts": True},
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("kind", GATES)
def test_recurrent_layers(kind, name):
    proto, x = recurrent(kind, **LAYERS[name])
    net = fastconv.onnx.load(proto, strict=True)
    for given in (x,) if LAYERS[name].get("starts") or LAYERS[name].get("lengths") else (x, x[:2, :1]):
        assert_close(net(given), by_onnxruntime(proto, given), 1e-5)


def test_recurrent_layers_by_the_kernels():
    """Those of constant weights that PyTorch and Keras write; the work of all is told."""
    for kind, more, native in (
        ("LSTM", {"direction": "bidirectional", "starts": True}, True),
        ("GRU", {"linear_before_reset": 1}, True),
        ("GRU", {}, False),
        ("LSTM", {"clip": 0.5}, False),
        ("LSTM", {"peepholes": True}, False),
        ("LSTM", {"lengths": True}, False),
    ):
        proto, x = recurrent(kind, **more)
        net = fastconv.onnx.load(proto, strict=True)
        (part,) = net.describe(x.shape).parts.values()
        assert part.algorithm == ("direct" if native else "NumPy")
        ways = 2 if "direction" in more else 1
        if not more.keys() & {"starts", "lengths"}:
            assert [y.shape for y in net(x[:, :0])][:2] == [(STEPS, ways, 0, HIDDEN), (ways, 0, HIDDEN)]
        assert part.macs == STEPS * BATCH * ways * GATES[kind] * HIDDEN * (INPUTS + HIDDEN)


def test_packed_weights_of_a_recurrent_layer_are_told():
    proto, x = recurrent("LSTM", direction="bidirectional")
    (part,) = fastconv.onnx.load(proto).describe(x.shape).parts.values()
    assert part.packed_bytes >= 4 * 2 * GATES["LSTM"] * HIDDEN * (INPUTS + HIDDEN)
    (step,) = fastconv.onnx.load(proto).profile(x)
    assert step.share_of_peak > 0


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_recurrent_layers_have_the_same_bits_for_any_threads_and_batch(kind, threads):
    more = {"linear_before_reset": 1} if kind == "GRU" else {}
    proto, x = recurrent(kind, direction="bidirectional", **more)
    wanted = fastconv.onnx.load(proto, num_threads=1)(x)
    found = fastconv.onnx.load(proto, num_threads=threads)(x[:, 1:2])
    for ours, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(ours, np.take(other, [1], -2))


def test_recurrent_layers_of_doubles():
    """By kernels and by NumPy, which a clip that reaches nothing leaves it to."""
    for kind, more in ("LSTM", {}), ("GRU", {"linear_before_reset": 1}):
        proto, x = recurrent(kind, direction="bidirectional", starts=True, **more)
        for tensor in proto.graph.initializer:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
        proto.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
        found = fastconv.onnx.load(proto)(x.astype(np.float64))
        proto.graph.node[0].attribute.append(helper.make_attribute("clip", 1e9))
        for ours, other in zip(found, fastconv.onnx.load(proto)(x.astype(np.float64)), strict=True):
            np.testing.assert_allclose(ours, other, rtol=1e-12, atol=1e-14)


PARTICULARS = {
    "peepholes": ("LSTM", {"peepholes": True, "starts": True, "direction": "bidirectional"}),
    "coupled": ("LSTM", {"input_forget": 1, "starts": True}),
    "coupled peepholes": ("LSTM", {"input_forget": 1, "peepholes": True}),
    "functions": ("LSTM", {"activations": ["HardSigmoid", "Relu", "Softsign"], "activation_alpha": [0.3],
                           "activation_beta": [0.4]}),
    "functions of both": ("GRU", {"direction": "bidirectional",
                                  "activations": ["Sigmoid", "Tanh", "HardSigmoid", "LeakyRelu"],
                                  "activation_alpha": [0.3, 0.2], "activation_beta": [0.4]}),
    "reset after": ("GRU", {"linear_before_reset": 1, "starts": True, "direction": "bidirectional"}),
    "relu": ("RNN", {"activations": ["Relu"], "starts": True}),
    "clipped": ("RNN", {"clip": 0.3}),
    "clipped gates": ("GRU", {"clip": 0.3}),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTICULARS)
def test_particulars_of_recurrent_layers(name):
    kind, how = PARTICULARS[name]
    proto, x = recurrent(kind, **how)
    assert_close(fastconv.onnx.load(proto, strict=True)(x), by_onnxruntime(proto, x), 1e-5)


def test_a_clip_bounds_what_activations_take():
    """Of an LSTM the cell too, which ONNX Runtime leaves as it is."""
    proto, x = recurrent("LSTM", clip=0.3)
    w, r, b = (np.frombuffer(one.raw_data, np.float32).reshape(one.dims)[0] for one in proto.graph.initializer)
    h = cell = np.zeros((BATCH, HIDDEN))
    for row in x:
        gates = np.clip(row @ w.T + h @ r.T + np.add(*np.split(b, 2)), -0.3, 0.3)
        i, o, f, c = np.split(gates, 4, 1)
        i, o, f = (1 / (1 + np.exp(-gate)) for gate in (i, o, f))
        cell = f * cell + i * np.tanh(c)
        h = o * np.tanh(np.clip(cell, -0.3, 0.3))
    np.testing.assert_allclose(fastconv.onnx.load(proto)(x)[1][0], h, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", GATES)
def test_the_batch_may_come_first(kind):
    """Which ONNX Runtime does not know: a layer with the steps first, of other axes."""
    how = {"direction": "bidirectional", "starts": True, "lengths": True}
    proto, x = recurrent(kind, **how)
    wanted = fastconv.onnx.load(proto)(x)
    (node,) = proto.graph.node
    node.attribute.append(helper.make_attribute("layout", 1))
    for tensor in proto.graph.initializer:
        if tensor.name in node.input[5:]:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).swapaxes(0, 1), tensor.name))
    found = fastconv.onnx.load(proto)(x.swapaxes(0, 1))
    np.testing.assert_allclose(found[0], wanted[0].transpose(2, 0, 1, 3), rtol=1e-5, atol=1e-6)
    for ours, other in zip(found[1:], wanted[1:], strict=True):
        np.testing.assert_allclose(ours, other.swapaxes(0, 1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_the_batch_may_come_first_on_the_kernels(kind):
    """As by NumPy, which a clip that reaches nothing leaves it to."""
    more = {"linear_before_reset": 1} if kind == "GRU" else {}
    proto, x = recurrent(kind, direction="bidirectional", layout=1, **more)
    net = fastconv.onnx.load(proto)
    found = net(x)
    assert [part.algorithm for part in net.describe(x.shape).parts.values()] == ["direct"]
    proto.graph.node[0].attribute.append(helper.make_attribute("clip", 1e9))
    for ours, other in zip(found, fastconv.onnx.load(proto)(x), strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-5, atol=1e-6)


def test_recurrent_layers_are_direct_where_others_are_chosen(run_python):
    """An algorithm that suits many steps would change the bits of a batch, and need not keep to an accuracy."""
    code = """
        import numpy as np
        import fastconv
        from onnx_models import one

        rng = np.random.default_rng(0)
        given = [rng.standard_normal(shape, np.float32) / 16 for shape in [(1, 256, 64), (1, 256, 64), (1, 512)]]
        x = rng.standard_normal((9, 4, 64), np.float32)
        net = fastconv.onnx.load(one("LSTM", x, *given, opset=14, outputs=3, hidden_size=64))
        print(fastconv.Conv2d(given[0].transpose(0, 2, 1)[None]).describe((1, 1, 36, 64)).algorithm)
        print(np.array_equal(net(x)[0][:, :, 1:2], net(x[:, 1:2])[0]))
    """
    printed = run_python("-c", textwrap.dedent(code), FASTCONV_FIP="1", PYTHONPATH=str(Path(__file__).parent))
    assert printed.split() == ["fip", "True"]


def test_recurrent_layers_that_do_not_fit():
    for kind, how, told in (
        ("LSTM", {"direction": "forward", "activations": ["Sigmoid", "Tanh", "Sinh"]}, "activation 'Sinh' is not one"),
        ("GRU", {"activations": ["Sigmoid"]}, "activations must be 2 for each direction"),
        ("RNN", {"direction": "both"}, "direction must be one of forward, reverse, bidirectional, got 'both'"),
    ):
        proto, x = recurrent(kind, **how)
        with pytest.raises(ValueError, match=f"{kind} 'y0': {told}"):
            fastconv.onnx.load(proto)(x)
    proto, x = recurrent("LSTM")
    with pytest.raises(ValueError, match=r"LSTM 'y0': W and R of shapes \(1, 16, 5\) and \(1, 16, 4\) do not fit"):
        fastconv.onnx.load(proto)(x[..., :4])


@pytest.mark.parametrize("clip", [0, 9])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_inputs_of_recurrent_layers_that_do_not_fit(kind, clip):
    """By the kernels and by NumPy alike."""
    how = {"starts": True, "clip": float(clip)} | ({"linear_before_reset": 1} if kind == "GRU" else {})
    for place, value, told in (
        (3, np.zeros((1, 9), np.float32), r"B must have shape \(1, (24|32)\), got \(1, 9\)"),
        (4, np.array([1, 2], np.int32), r"sequence_lens must have shape \(3,\), got \(2,\)"),
        (4, np.array([1, 2, 8], np.int32), "sequence_lens must be from 0 to 7, got 1 to 8"),
        (5, np.zeros((1, 1, HIDDEN), np.float32), r"initial_h must have shape \(1, 3, 4\), got \(1, 1, 4\)"),
        (5, np.zeros((1, BATCH, HIDDEN)), "initial_h must have dtype float32, as x has, got float64"),
        (5, np.zeros((1, BATCH, HIDDEN), np.float16), "initial_h must have dtype float32, as x has, got float16"),
    ):
        proto, x = recurrent(kind, **how)
        (node,) = proto.graph.node
        node.input[place] = "other"
        proto.graph.initializer.append(numpy_helper.from_array(value, "other"))
        with pytest.raises(ValueError, match=f"{kind} 'y0': {told}"):
            fastconv.onnx.load(proto)(x)


def test_a_handler_need_not_wait_for_a_long_layer():
    proto, _ = recurrent("LSTM")
    x = np.ones((400_000, 1, INPUTS), np.float32)
    net = fastconv.onnx.load(proto)
    net(x[:9])
    later = []

    class StopError(Exception):
        pass

    def handler(*_):
        raise StopError

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        with pytest.raises(StopError):
            later.append(net(x))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not later
