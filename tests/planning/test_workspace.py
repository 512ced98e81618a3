"""Scratch memory: kept within a bound, the newest first, given back when asked, and little for large batches."""

import os
import textwrap
import threading
import tracemalloc

import numpy as np
import pytest

import fastconv
from fastconv._planning import layouts, workspace


@pytest.fixture
def free(monkeypatch):
    """What is kept, nothing at first."""
    kept = []
    monkeypatch.setattr(workspace, "_free", kept)
    return kept


def sizes(buffers):
    return [buffer.nbytes for buffer in buffers]


def test_what_is_kept_has_a_bound_and_the_oldest_go(free, monkeypatch):
    monkeypatch.setattr(workspace, "_MAX_KEPT", 100_000)
    buffers = [workspace.borrow(size) for size in (30_000, 40_000, 50_000, 20_000, 200_000, 10_000)]
    for buffer in buffers:
        workspace.give_back(buffer)
    assert sizes(free) == [50_000, 20_000, 200_000, 10_000]  # the last two, and 100,000 bytes of the others
    workspace.give_back(workspace.borrow(100_001))  # in the place of the last one
    assert sizes(free) == [50_000, 20_000, 200_000, 100_001]


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("is_graph", [False, True])
def test_a_call_takes_what_the_last_one_left_however_large_it_is(is_graph, layout, free, monkeypatch):
    monkeypatch.setattr(workspace, "_MAX_KEPT", 1)
    plan = fastconv.Conv2d(np.ones((8, 8, 8, 8), np.float32), padding="same", layout=layout)
    plan = fastconv.Sequential(plan, plan) if is_graph else plan
    x = np.ones((2, 8, 8, 8), np.float32)
    out = plan(x)
    kept = [*map(id, free)]
    assert kept
    assert plan(x, out=out) is out
    assert [*map(id, free)] == kept


def test_many_threads_keep_no_more(free, monkeypatch):
    monkeypatch.setattr(workspace, "_MAX_KEPT", 1_000_000)

    def work():
        for size in range(1, 400_000, 3_001):
            workspace.give_back(workspace.borrow(size))

    threads = [threading.Thread(target=work) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sum(sizes(free[:-2])) <= 1_000_000


def test_release_gives_everything_back(free):
    plan = fastconv.Conv2d(np.ones((3, 3, 32, 8), np.float32), padding=1)
    x = np.ones((30, 30, 32), np.float32)
    want = plan(x).tobytes()
    assert free
    fastconv.release()
    assert not free
    assert plan(x).tobytes() == want


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="reads /proc")
@pytest.mark.parametrize(
    "call",
    [
        "fastconv.Conv2d(np.ones((8, 32, 3, 3), np.float32), padding=1, layout='NCHW', num_threads=2)",
        "fastconv.MLPConv((np.ones((8, 32, 3, 3), np.float32), None), padding=1, layout='NCHW', num_threads=2)",
        "lambda x, out: fastconv.max_pool2d(x[:, :8], 1, layout='NCHW', out=out, num_threads=2)",
    ],
)
def test_a_batch_in_layout_nchw_is_converted_in_turns(run_python, call):
    code = f"""
        import numpy as np, fastconv
        def peak():
            return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) << 10
        x, out = np.ones((64, 32, 128, 128), np.float32), np.ones((64, 8, 128, 128), np.float32)  # 134 and 34 MB
        plan = {call}
        plan(x[:4], out=out[:4])
        before = peak()
        plan(x, out=out)
        print(peak() - before)
    """
    assert int(run_python("-c", textwrap.dedent(code))) < 24_000_000


@pytest.mark.parametrize("images", [0, 1, 2, 7])
def test_turns_of_any_size_have_the_same_bits(images, monkeypatch):
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((images, 5, 9, 8), np.float32), rng.standard_normal((6, 5, 3, 3), np.float32)
    residual = rng.standard_normal((images, 6, 9, 8), np.float32)
    strided = np.repeat(x, 2, axis=3)[..., ::2]
    plan = fastconv.Conv2d(weight, padding=1, layout="NCHW")
    pool = fastconv.max_pool2d(x, 2, layout="NCHW")
    want = plan(x, residual=residual)
    monkeypatch.setattr(layouts, "_TURN_BYTES", 10_000)  # about two images
    for array in (x, strided):
        assert plan(array, residual=residual).tobytes() == want.tobytes()
    assert fastconv.max_pool2d(x, 2, layout="NCHW").tobytes() == pool.tobytes()


@pytest.mark.parametrize("images", [0, 1, 9])
def test_the_description_counts_the_copies_of_a_conversion(images):
    weight = np.ones((8, 64, 3, 3), np.float32)
    nchw = fastconv.Conv2d(weight, padding=1, layout="NCHW").describe((images, 64, 128, 128))
    nhwc = fastconv.Conv2d(weight.transpose(2, 3, 1, 0), padding=1).describe((images, 128, 128, 64))
    image = 4 * 128 * 128 * (64 + 8)
    assert nchw.workspace_bytes - nhwc.workspace_bytes == image * min(images, 8 * 2**20 // image)


@pytest.mark.parametrize("images", [0, 1, 5])
def test_a_graph_in_layout_nchw_takes_the_copies_that_its_description_counts(images, monkeypatch):
    weight = np.ones((8, 8, 3, 3), np.float32)
    conv = fastconv.Conv2d(weight, padding=1, layout="NCHW", num_threads=1)
    plan, x = fastconv.Sequential(conv, conv, num_threads=1), np.ones((images, 8, 100, 100), np.float32)
    monkeypatch.setattr(layouts, "_TURN_BYTES", 5 * x[:1].nbytes)  # two images and two results
    out = plan(x)
    description = plan.describe(x.shape)
    assert description.copied_bytes == 2 * min(images, 2) * 320_000
    fastconv.release()
    tracemalloc.start()
    try:
        plan(x, out=out)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert description.scratch_bytes <= taken <= description.scratch_bytes + 20_000
