"""A program: convolve arrays that lie against pages of memory that may not be touched; a stray access ends it.

Every operand lies once at the end of its pages and once at their beginning, packed weights and workspaces always at the
end. The last line printed names the case that was running. Arguments name some of FAMILIES; all run without.
"""

import sys
from itertools import product

import numpy as np
from cases import SMALL_BLOCKS, integers, small_block
from guarded_arrays import guarded, kept, moved
from guarded_runners import attentions, samples

import fastconv
from fastconv import reference
from fastconv._graph.operations.shaping import Concat
from fastconv._kernels import cpu
from fastconv._planning import algorithms, teams, workspace
from fastconv._runners import attention, fip_weights, nchw, pack, shaping, tiles

# (x, weight, options) in NHWC: full tiles and ragged ones, with and without padding, each way of walking the input.
GEOMETRIES = [
    ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    ((2, 7, 7, 16), (1, 1, 16, 32), {}),
    ((2, 7, 7, 17), (1, 1, 17, 33), {}),
    ((1, 5, 13, 3), (1, 1, 3, 5), {"stride": 2}),
    ((1, 9, 9, 8), (3, 3, 8, 16), {}),
    ((2, 9, 8, 5), (3, 3, 5, 9), {"padding": 1}),
    ((1, 9, 8, 5), (2, 4, 5, 40), {"padding": ((0, 3), (2, 0)), "stride": (2, 1)}),
    ((2, 9, 9, 3), (3, 3, 3, 7), {"padding": ((1, 0), (1, 0)), "stride": 2}),  # the last row and column are unused
    ((1, 12, 11, 3), (3, 2, 3, 7), {"dilation": (2, 3)}),
    ((1, 12, 11, 3), (3, 3, 3, 7), {"dilation": 2, "padding": "same", "stride": 2}),
    ((2, 8, 7, 12), (3, 3, 4, 9), {"groups": 3}),
    ((2, 8, 7, 12), (3, 3, 4, 51), {"groups": 3, "padding": 1}),
    ((1, 8, 7, 12), (3, 3, 1, 24), {"groups": 12, "padding": 1}),
    ((2, 8, 7, 16), (3, 3, 2, 8), {"groups": 8, "padding": 1}),
    ((1, 8, 7, 16), (3, 3, 2, 8), {"groups": 8}),
    ((2, 8, 7, 17), (3, 3, 1, 17), {"groups": 17, "padding": 1}),
    ((2, 8, 7, 36), (3, 3, 4, 36), {"groups": 9, "padding": 1}),
    ((1, 8, 7, 20), (3, 3, 4, 20), {"groups": 5, "stride": 2}),
    ((1, 7, 27, 33), (3, 3, 1, 33), {"groups": 33, "stride": 2, "padding": 1}),
    ((2, 7, 25, 33), (3, 3, 1, 33), {"groups": 33, "padding": 1}),  # in place
    ((2, 7, 50, 33), (5, 5, 1, 33), {"groups": 33, "padding": 2}),
    ((1, 4, 77, 17), (3, 3, 1, 17), {"groups": 17, "padding": ((7, 2), (5, 0))}),
    ((1, 9, 29, 17), (3, 3, 1, 17), {"groups": 17, "stride": (1, 2)}),
    ((1, 4, 25, 9), (5, 5, 1, 9), {"groups": 9, "stride": 2, "padding": 2}),
    ((1, 19, 8, 5), (3, 3, 5, 9), {"dilation": (9, 1), "padding": 1}),  # rows far apart
    ((2, 8, 7, 33), (2, 3, 1, 33), {"groups": 33}),
    ((2, 6, 23, 3), (3, 3, 1, 3), {"groups": 3, "padding": 1}),  # fewer channels than a vector has
    ((1, 5, 27, 7), (5, 5, 1, 7), {"groups": 7, "stride": 2}),
    ((2, 6, 23, 12), (3, 3, 4, 12), {"groups": 3, "padding": 1}),
    ((1, 24, 23, 3), (7, 7, 3, 24), {"stride": 2, "padding": 3}),
    ((1, 1, 25, 2), (1, 3, 2, 3), {}),
    ((1, 0, 3, 2), (1, 1, 2, 3), {"padding": 1}),
    ((1, 2, 2, 3), (2, 2, 3, 65), {"padding": 5}),
    ((1, 12, 12, 600), (1, 1, 600, 17), {}),
    ((2, 8, 7, 64), (3, 3, 64, 33), {"padding": 1}),  # columns of the kernel are left out
    ((1, 8, 5, 512), (1, 1, 512, 9), {"padding": 1}),
    ((1, 30, 30, 8), (23, 23, 1, 8), {"groups": 8, "padding": 11}),
    ((1, 6, 5, 3), (3, 3, 3, 7), {"stride": (1, 40), "padding": 40}),  # only the pixels that are read are copied
    ((1, 5, 6, 17), (3, 3, 17, 33), {"dilation": 30, "padding": 30}),
    ((1, 5, 6, 9), (3, 3, 1, 9), {"dilation": 30, "padding": 30, "groups": 9}),
    ((1, 1, 16, 1), (1, 1, 1, 1), {}),  # few output channels: pixels for lanes
    ((2, 5, 7, 2), (1, 1, 2, 3), {}),
    ((1, 7, 33, 3), (1, 1, 3, 7), {}),
    ((1, 3, 67, 5), (1, 1, 5, 2), {"stride": (1, 2)}),
    ((1, 6, 34, 9), (3, 3, 9, 6), {}),
    ((1, 4, 21, 6), (1, 1, 2, 9), {"groups": 3}),
    ((1, 6, 18, 1), (3, 3, 1, 1), {}),  # of k×k: rows are split
    ((2, 6, 35, 3), (3, 3, 3, 3), {"padding": 1}),
    ((2, 5, 16, 5), (2, 5, 5, 10), {"padding": ((0, 3), (4, 0)), "dilation": (1, 2)}),
    ((1, 7, 131, 6), (3, 3, 2, 9), {"groups": 3, "padding": 1}),
    ((1, 1, 9, 5), (1, 1, 5, 4), {}),  # narrow: 16, 32 or 64 bytes of output channels
    ((2, 3, 5, 4), (1, 1, 4, 8), {}),
    ((1, 3, 23, 6), (1, 1, 6, 16), {"stride": (1, 2)}),
    ((1, 2, 8, 4), (1, 1, 2, 4), {"groups": 2}),
    ((1, 9, 10, 512), (3, 3, 512, 32), {"stride": 2, "padding": 1}),  # sums are kept from row to row of the kernel
    ((1, 3, 3, 512), (3, 3, 512, 32), {"padding": 3}),
]


def convolutions(dtype, at_end):
    rng = np.random.default_rng(0)
    for x_shape, weight_shape, options in GEOMETRIES:
        print(cpu.active(), dtype, f"{at_end = }", x_shape, weight_shape, options, flush=True)
        arrays = [integers(rng, shape, dtype) for shape in (x_shape, weight_shape, weight_shape[3:])]
        plain = reference.conv2d(*arrays, **options)
        residual = integers(rng, plain.shape, dtype)
        x, weight, bias, guarded_residual = (moved(a, at_end) for a in (*arrays, residual))
        blas = weight_shape[:3] == (1, 1, x_shape[3]) and "padding" not in options
        for algorithm in ["direct", "auto"] + ["blas"] * blas:
            for num_threads in (1, 2):
                plan = fastconv.Conv2d(weight, bias, **options, algorithm=algorithm, num_threads=num_threads)
                check(plan, x, plain, guarded_residual, at_end)


def check(plan, x, want, residual, at_end):
    """Call a plan with a residual, and with a slice of channels as out, beside which nothing may change.

    The results are whole numbers, to which Winograd's are rounded.
    """
    out = guarded(want.shape, x.dtype, at_end)
    np.testing.assert_array_equal(np.rint(plan(x, residual=residual, out=out)), want + residual)
    joined = guarded((*want.shape[:3], want.shape[3] + 3), x.dtype, at_end)
    joined[...] = 7
    part, neighbours = (joined[..., 3:], joined[..., :3]) if at_end else (joined[..., :-3], joined[..., -3:])
    np.testing.assert_array_equal(np.rint(plan(x, out=part)), want)
    assert (neighbours == 7).all(), "a neighbour was overwritten"


MAPS = [(1, 1), (7, 7), (5, 13), (6, 38)]
CHANNELS = [*product((1, 3, 17, 35), (1, 5, 33, 65), (1,)), (9, 15, 3), (51, 99, 3)]  # in, out, groups


def winograd(dtype, at_end):
    """Every transform, with numbers alone and with a NaN, whose tiles are computed directly from the plan's weights."""
    rng = np.random.default_rng(0)
    every = algorithms.ALGORITHMS
    for algorithm in [one for one in every if one.name == "winograd"]:
        algorithms.ALGORITHMS = [algorithm]
        kernel = algorithm.transform.kernel
        for size, (channels, out_channels, groups) in product(MAPS, CHANNELS):
            shapes = (2, *size, channels), (kernel, kernel, channels // groups, out_channels), (out_channels,)
            print(cpu.active(), dtype, f"{at_end = }", str(algorithm), *shapes, flush=True)
            options = {"padding": kernel // 2, "groups": groups}
            arrays = [integers(rng, shape, dtype) for shape in (*shapes, (2, *size, out_channels))]
            x, weight, bias, residual = (moved(array, at_end) for array in arrays)
            plan = fastconv.Conv2d(weight, bias, **options, algorithm="winograd", num_threads=2)
            plan._operation = plan._operation.changed(weight=weight)  # in the place of its copy, which is not guarded
            plan._packed.clear()
            for value in (1, np.nan):
                x[1, size[0] // 2, size[1] // 2, -1] = value
                check(plan, x, reference.conv2d(x, weight, bias, **options), residual, at_end)
    algorithms.ALGORITHMS = every


FIP_CHANNELS = [*CHANNELS[:16:3], *CHANNELS[16:], (100, 40, 2), (250, 66, 1), (530, 17, 1)]  # also several chunks


def fast_inner_products(dtype, at_end):
    """Whole tiles and blocks and less; with a NaN, whose pixel is computed directly from the plan's weights."""
    rng = np.random.default_rng(0)
    for size, (channels, out_channels, groups) in product(MAPS[:3], FIP_CHANNELS):
        shapes = (2, *size, channels), (1, 1, channels // groups, out_channels), (out_channels,)
        print(cpu.active(), dtype, f"{at_end = }", "fip", *shapes, flush=True)
        arrays = [integers(rng, shape, dtype) for shape in (*shapes, (2, *size, out_channels))]
        x, weight, bias, residual = (moved(array, at_end) for array in arrays)
        plan = fastconv.Conv2d(weight, bias, groups=groups, algorithm="fip", num_threads=2)
        plan._operation = plan._operation.changed(weight=weight)  # in the place of its copy, which is not guarded
        plan._packed.clear()
        for value in (1, np.nan):
            x[1, size[0] // 2, size[1] // 2, -1] = value
            check(plan, x, reference.conv2d(x, weight, bias, groups=groups), residual, at_end)


# (x, weight, options) in NCHW: pixels in whole panels, in one vector and in none, pixel blocks, channel ranges, groups.
PLANES = [
    ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    ((2, 17, 7, 7), (33, 17, 1, 1), {}),
    ((1, 5, 4, 4), (12, 5, 1, 1), {}),
    ((1, 3, 5, 9), (13, 3, 1, 1), {}),
    ((2, 300, 14, 14), (100, 300, 1, 1), {}),
    ((1, 12, 8, 7), (15, 4, 1, 1), {"groups": 3}),
    ((2, 5, 13, 12), (25, 5, 1, 1), {"stride": (2, 3)}),
    ((1, 4, 1, 31), (100, 4, 1, 1), {}),
]


def planes(dtype, at_end):
    rng = np.random.default_rng(0)
    for x_shape, weight_shape, options in PLANES:
        print(cpu.active(), dtype, f"{at_end = }", "NCHW", x_shape, weight_shape, options, flush=True)
        options = {**options, "layout": "NCHW"}
        arrays = [integers(rng, shape, dtype) for shape in (x_shape, weight_shape, weight_shape[:1])]
        plain = reference.conv2d(*arrays, **options)
        residual = integers(rng, plain.shape, dtype)
        x, weight, bias, guarded_residual = (moved(a, at_end) for a in (*arrays, residual))
        for num_threads in (1, 2):
            out = guarded(plain.shape, dtype, at_end)
            plan = fastconv.Conv2d(weight, bias, **options, num_threads=num_threads)
            assert plan.describe(x.shape).layout_conversion == "none"
            np.testing.assert_array_equal(plan(x, residual=guarded_residual, out=out), plain + residual)


def transposes(dtype, at_end):
    for shape in [(1, 1, 1), (2, 7, 9), (3, 8, 16), (1, 17, 23), (2, 1, 25), (2, 25, 1), (1, 33, 130)]:
        print(dtype, f"{at_end = }", "transpose", shape, flush=True)
        source = moved(integers(np.random.default_rng(0), shape, dtype), at_end)
        for team in ((1, 1), (3, 3), (2, 3)):
            target = guarded((shape[0], shape[2], shape[1]), dtype, at_end)
            shaping.transpose(source, target, shape[1], team)
            np.testing.assert_array_equal(target, source.swapaxes(1, 2))


def pools(dtype, at_end):
    rng = np.random.default_rng(0)
    windows = [(1, {}), (2, {"padding": 1, "stride": 1}), (3, {"padding": ((2, 1), (1, 2)), "stride": 2})]
    windows += [(3, {"padding": 1, "stride": 1}), (2, {"ceil_mode": True, "stride": 2})]
    for shape in [(1, 2, 2, 1), (2, 7, 9, 5), (2, 5, 6, 13), (1, 6, 6, 64), (1, 6, 5, 67), (1, 4, 3, 131)]:
        for kernel, options in windows:
            print(dtype, f"{at_end = }", "pools", shape, kernel, options, flush=True)
            x = moved(integers(rng, shape, dtype), at_end)
            for kind in ("max_pool2d", "avg_pool2d"):
                want = getattr(reference, kind)(x, kernel, **options).astype(dtype)
                out = guarded(want.shape, dtype, at_end)
                getattr(fastconv, kind)(x, kernel, **options, out=out, num_threads=2)
                np.testing.assert_allclose(out, want, rtol=1e-6)


def blocks(dtype, at_end):
    for name in SMALL_BLOCKS:
        print(cpu.active(), dtype, f"{at_end = }", name, flush=True)
        x, pairs = small_block(name, values=integers, dtype=dtype)
        want = getattr(reference, name.lower())(x, *pairs.values())
        for num_threads in (1, 2):
            out = guarded(want.shape, dtype, at_end)
            getattr(fastconv, name)(*pairs.values(), num_threads=num_threads)(moved(x, at_end), out=out)
            np.testing.assert_allclose(out, want, atol=1e-3)


def graphs(dtype, at_end):
    """Sums, ReLUs and copies that no convolution takes, into slices of channels and whole arrays; paddings, vectors."""
    for shape in [(2, 3, 5, 7), (1, 1, 1, 1), (1, 4, 3, 16)]:
        print(dtype, f"{at_end = }", "graphs", shape, flush=True)
        g = fastconv.Graph()
        y = g.add(g.relu(g.x), g.x)
        gate = g.mul(g.global_max_pool2d(g.x), g.local_response_norm(g.relu6(y), alpha=0.0))
        vector = g.linear(g.flatten(g.x), integers(np.random.default_rng(1), (int(np.prod(shape[1:])), 9), dtype))
        maps = y, g.relu(g.concat(g.x, y, g.max_pool2d(y, 1))), g.pad(g.x, ((2, 1), (0, 1)), 5)
        bias = integers(np.random.default_rng(2), shape[3:], dtype)
        across = g.sub(g.channel_pool(y, "max"), g.layer_norm(g.x, 0 * bias, bias, 1.0)), g.channel_pool(g.x, "sum")
        across = *across, g.instance_norm(g.x, 0 * bias, bias, 1.0), g.group_norm(g.x, 1, 0 * bias, bias, 1.0)
        joined = [g._add(None, Concat(axis), a=g.x, b=y, c=g.relu(g.x)) for axis in ("rows", "pixels")]
        for last in (*maps, *joined, gate, vector, g.concat(vector, g.flatten(g.x)), *across):
            x = moved(integers(np.random.default_rng(0), shape, dtype), at_end)
            plan = g.plan(last, num_threads=2)
            want = reference.graph(plan, x)
            out = guarded(want.shape, dtype, at_end)
            plan(x, out=out)
            np.testing.assert_array_equal(out, want)


def softmaxes(dtype, at_end):
    """Along each axis, whole vectors and less."""
    for shape, axis in product([(2, 3, 5, 7), (1, 9, 17, 1), (1, 4, 3, 16)], ("height", "width", "channels")):
        print(dtype, f"{at_end = }", "softmaxes", shape, axis, flush=True)
        for name in ("softmax", "log_softmax"):
            g = fastconv.Graph()
            plan = g.plan(getattr(g, name)(g.x, axis=axis), num_threads=2)
            x, out = moved(integers(np.random.default_rng(0), shape, dtype), at_end), guarded(shape, dtype, at_end)
            plan(x, out=out)
            np.testing.assert_allclose(out, reference.graph(plan, x), rtol=1e-5)


FAMILIES = (
    convolutions,
    winograd,
    fast_inner_products,
    planes,
    transposes,
    pools,
    blocks,
    graphs,
    softmaxes,
    attentions,
    samples,
)


def main(names):
    teams._MACS_PER_THREAD = 1  # teams for tiny layers
    attention.aligned = fip_weights.aligned = pack.aligned = nchw.aligned = tiles.aligned = workspace.aligned = guarded
    workspace.give_back = lambda buffer: None  # a larger one from before would hide a stray access
    fastconv.conv2d(np.ones((3, 3, 1)), np.ones((3, 3, 1, 1)), padding=1)
    assert len(kept) >= 3, "packed weights, bias and workspace are not all guarded"
    for dtype in ("float32", "float64"):
        for at_end in (True, False):
            kept.clear()  # nothing reads those of the last round any more, and there may not be any number of them
            for family in FAMILIES:
                if not names or family.__name__ in names:
                    family(dtype, at_end)
    print("done")


if __name__ == "__main__":
    main(sys.argv[1:])
