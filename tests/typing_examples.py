"""What a type checker must accept of the public functions and refuse: read by `make lint`, never run.

`type: ignore` marks what is refused, and mypy complains of one that is not needed.
"""

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

import fastconv

Float32 = NDArray[np.float32]
rng = np.random.default_rng(0)
x = rng.standard_normal((1, 8, 8, 4), np.float32)
weight = rng.standard_normal((3, 3, 4, 4), np.float32)
matrix = rng.standard_normal((4, 4), np.float32)
doubles = np.ones((1, 8, 8, 4))
either: NDArray[np.float32 | np.float64] = x

# A result has the type of x.
assert_type(fastconv.conv2d(x, weight, padding="same", activation="relu"), Float32)
assert_type(fastconv.pointwise(x, matrix), Float32)
assert_type(fastconv.max_pool2d(x, 2, stride=(2, 1)), Float32)
assert_type(fastconv.avg_pool2d(doubles, (2, 2), layout="NCHW"), NDArray[np.float64])
assert_type(fastconv.global_avg_pool2d(x), Float32)
assert_type(fastconv.global_avg_pool2d(either), NDArray[np.float32 | np.float64])
assert_type(fastconv.reference.conv2d(x, weight, padding=((1, 1), (0, 0))), NDArray[np.float64])

plan = fastconv.Conv2d(weight, None, padding=(1, 1), algorithm="winograd", accuracy="normwise", num_threads=2)
assert_type(plan(x, out=x.copy()), Float32)
assert_type(plan(doubles), NDArray[np.float64])  # only the call tells that the weights are of another type
assert_type(plan.cost(x.shape), fastconv.cost.Cost)
assert_type(plan.describe(x.shape, measure=True).milliseconds, float | None)
assert_type(plan.dtype, np.dtype)
assert_type(fastconv.peak().fma_gflops_all, float)

graph = fastconv.Graph()
joined = graph.concat(graph.conv2d(graph.x, weight, padding=1), graph.max_pool2d(graph.x, 3, stride=1, padding=1))
net = fastconv.Sequential(plan, fastconv.MaxPool2d(2), graph.plan(graph.relu(joined)), num_threads=2)
assert_type(net(x, out=x.copy()), Float32)
assert_type(net.cost(x.shape), fastconv.cost.Cost)
assert_type(net.describe(x.shape).scratch_bytes, int)

pair = weight, None
fastconv.Fire(pair, pair, pair, activation=None)
fastconv.Fire(pair, pair, pair, activation=(-1, 1.5))
fastconv.Bottleneck(pair, pair, pair, stride_in="reduce")

# Choices are among names, arrays of floats, and a name that the package has not is none.
fastconv.conv2d(x, weight, activation="sigmoid")  # type: ignore[arg-type]
fastconv.conv2d(x, weight, layout="nhwc")  # type: ignore[arg-type]
fastconv.conv2d(x, weight, padding="full")  # type: ignore[arg-type]
fastconv.conv2d(x, weight, padding=(1, 1, 1, 1))  # type: ignore[arg-type]
fastconv.conv2d(x, weight, stride=1.5)  # type: ignore[arg-type]
fastconv.conv2d(x, weight, algorithm="fft")  # type: ignore[arg-type]
fastconv.conv2d(x, weight, strides=2)  # type: ignore[call-arg]
fastconv.conv2d([[[1.0]]], weight)  # type: ignore[arg-type]
fastconv.conv2d(x.astype(np.int64), weight)  # type: ignore[type-var]
fastconv.max_pool2d(x, 2, padding="SAME")  # type: ignore[arg-type]
fastconv.max_pool2d(x)  # type: ignore[call-arg]
fastconv.Conv2d(weight, algorithm="fast")  # type: ignore[arg-type]
fastconv.Conv2d(weight, accuracy="exact")  # type: ignore[arg-type]
fastconv.reference.conv2d(x, weight, layout="NHCW")  # type: ignore[arg-type]
fastconv.Fire(pair, pair, pair, activation="gelu")  # type: ignore[arg-type]
fastconv.Bottleneck(pair, pair, pair, stride_in="expand")  # type: ignore[arg-type]
fastconv.conv3d(x, weight)  # type: ignore[attr-defined]
