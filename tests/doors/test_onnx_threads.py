"""A model that many threads call at once: all of them bind it, and keep what was made for it."""

import sys
import threading

import numpy as np
import pytest
from onnx_models import assert_close, bottleneck, by_onnxruntime, model, normal

import fastconv
from fastconv.onnx import _model, _segments

X = normal(2, 8, 14, 14)


@pytest.fixture
def many_switches():
    """Threads that take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(work, count):
    """Call work(0), work(1) … in threads of their own."""
    failures = []

    def run(i):
        try:
            work(i)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def test_threads_share_a_model():
    proto = bottleneck()
    net, wanted = fastconv.onnx.load(proto), by_onnxruntime(proto, X)

    def work(i):
        for _ in range(5):
            assert_close(net(X), wanted)

    at_once(work, 4)


@pytest.mark.parametrize("kept", [1000, 5])
def test_threads_bind_a_model_of_many_convolutions_to_shapes(many_switches, monkeypatch, kept):
    """What is kept is looked through, and makes room for other shapes, while others add to it."""
    monkeypatch.setattr(_segments, "_MAX_KEPT", kept)
    monkeypatch.setattr(_model, "_MAX_STAGES", 2)
    count = 100
    nodes = [("Conv", f"{'x' if i == 0 else f't{i}'} w{i}", f"t{i + 1}", {}) for i in range(count)]
    weights = {f"w{i}": np.full((1, 1, 1, 1), 2 - i % 2, np.float32) for i in range(count)}
    proto = model(nodes, weights, outputs=(f"t{count}",))
    for _ in range(6):
        net = fastconv.onnx.load(proto, num_threads=1)

        def work(i, net=net):
            for width in (1, 2, 3):
                x = normal(1, 1, 1 + i, width)
                np.testing.assert_array_equal(net(x), x * 2.0 ** (count // 2))

        at_once(work, 8)
