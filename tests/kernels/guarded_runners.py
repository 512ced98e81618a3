"""Of guard_pages.py, the families of runners that a door drives without a graph."""

from itertools import product

import numpy as np
from cases import integers
from guarded_arrays import guarded, moved

from fastconv._kernels import cpu
from fastconv._runners import attention, sampling
from fastconv.onnx._in_numpy.sampling import grid_sample
from fastconv.onnx._program import Node

# (rows, columns, depth, width): whole tiles and vectors of AVX-512 and less; the last in several slabs.
ATTENTIONS = [(1, 1, 1, 1), (4, 3, 2, 5), (5, 7, 9, 8), (13, 17, 16, 33), (30, 33, 17, 16), (300, 130, 35, 50)]


def attentions(dtype, at_end):
    """Keys in rows and in columns; every score is 0 but for biases that leave out some columns: means of the values."""
    rng, item = np.random.default_rng(0), np.dtype(dtype).itemsize
    for rows, columns, depth, width in ATTENTIONS:
        print(cpu.active(), dtype, f"{at_end = }", "attention", rows, columns, depth, width, flush=True)
        query, value = (moved(integers(rng, shape, dtype), at_end) for shape in ((2, rows, depth), (2, columns, width)))
        bias, row = np.zeros((rows, columns), dtype), np.zeros((1, columns), dtype)
        bias[:, 1::2], row[:, 2::4] = -np.inf, -np.inf
        seen = value[:, ::4].astype(float)
        want = np.broadcast_to(seen.mean(1)[:, None], (2, rows, width)).swapaxes(0, 1)
        for turns in (False, True):
            key = moved(np.zeros((2, columns, depth) if turns else (2, depth, columns), dtype), at_end)
            stacks = [_stack(query), _stack(key, turns), _stack(value)]
            biases = [moved(one, at_end) for one in (bias, row)]
            stacks += [(np.zeros(2, np.int64), step, False) for step in (columns * item, 0)]
            out = guarded((rows, 2, width), dtype, at_end)
            runner = attention.Attention((2, 2, rows, columns, depth, width), 0.5, item, stacks)
            runner.set_team(2, 2)
            runner.run([query, key, value, *biases], [(out, 2 * width * item)], guarded((runner.memory,), np.uint8))
            np.testing.assert_allclose(out, want, rtol=1e-5, atol=1e-5)


def _stack(x, turns=False):
    """What the runner of an attention is told of two contiguous matrices."""
    return np.arange(2, dtype=np.int64) * x[0].nbytes, x[0, 0].nbytes, turns


def samples(dtype, at_end):
    """At places in the image, on its edge and beyond, however far."""
    rng, item = np.random.default_rng(0), np.dtype(dtype).itemsize
    far = np.reshape([1, -1, 1e30, -1e30, np.inf, -np.inf, np.nan, 0], (4, 2))
    paddings, either = ("zeros", "border", "reflection"), (False, True)
    for shape, padding, is_aligned, is_nearest in product([(2, 3, 5, 7), (1, 1, 1, 33)], paddings, either, either):
        print(cpu.active(), dtype, f"{at_end = }", "sample", shape, padding, is_aligned, is_nearest, flush=True)
        x, places = integers(rng, shape, dtype), rng.uniform(-1.7, 1.7, (shape[0], 4, 6, 2)).astype(dtype)
        places[0, 0, :4] = far
        mode = "nearest" if is_nearest else "linear"
        attributes = {"mode": mode, "padding_mode": padding, "align_corners": int(is_aligned)}
        node = Node("y", "GridSample", "", 20, (), (), attributes)
        with np.errstate(all="ignore"):
            want = grid_sample(node, x.transpose(0, 3, 1, 2), places).transpose(0, 2, 3, 1)
        out = guarded(want.shape, dtype, at_end)
        runner = sampling.Sample(shape, want.shape, item == 8, padding, is_aligned, is_nearest)
        runner.set_team(2, 2)
        runner.run([moved(x, at_end), moved(places, at_end)], [(out, shape[3] * item)], guarded((runner.memory,), "u1"))
        np.testing.assert_allclose(out, want, rtol=1e-4, atol=1e-4)
