"""What the tests of normalisations share."""

import numpy as np

import fastconv
from fastconv import reference

CHANNELS = 1, 3, 8, 16, 17, 33, 67  # on both sides of the vectors of every instruction set


def every_way(make, x):
    """What the plan of `make(g, x)` gives for NHWC x: the same bits in any layout, place, batch, with any threads."""
    results, planes = [], np.ascontiguousarray(np.moveaxis(x, -1, 1))
    for layout, num_threads in ("NCHW", 3), ("NHWC", 2), ("NHWC", 1):
        g = fastconv.Graph(layout=layout)
        plan = g.plan(make(g, g.x), num_threads=num_threads)
        got = plan(x if layout == "NHWC" else planes)
        results.append((got if layout == "NHWC" else np.moveaxis(got, 1, -1)).tobytes())
        if layout == "NCHW":
            want = np.moveaxis(reference.graph(plan, planes), 1, -1)
    joined = np.full((*x.shape[:-1], x.shape[-1] + 5), 7, x.dtype)
    plan(x, out=joined[..., 2:-3])
    np.testing.assert_array_equal(np.delete(joined, np.s_[2:-3], -1), 7)
    results += [joined[..., 2:-3].tobytes(), b"".join(plan(image).tobytes() for image in x)]
    assert len(set(results)) == 1
    np.testing.assert_allclose(want, reference.graph(plan, x), rtol=1e-12)
    return got
