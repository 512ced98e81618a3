"""Single convolutions by algorithm, against channels, and the layers of the published networks."""

import numpy as np
from threadpoolctl import threadpool_limits

from . import common, configs


class Pointwise:
    """The 1×1s that blocks are made of; numpy.matmul is the same product without bias and activation."""

    params = (
        configs.LAYER_CHANNELS,
        common.THREADS,
        tuple(configs.POINTWISE),
        ("auto", "blas", "direct", "numpy.matmul"),
    )
    param_names = ("channels", "threads", "layer", "algorithm")
    version = "1"

    def setup(self, channels, threads, layer, algorithm):
        layer = configs.POINTWISE[layer](channels)
        if algorithm != "numpy.matmul":
            self.call = common.Call(layer, threads, algorithm)
            return
        x, (weight, _) = common.integers(layer.x_shape, 2).reshape(-1, channels), common.arguments(layer)
        weight = weight[0, 0]
        y = common.aligned((len(x), weight.shape[1]))
        self.limits = threadpool_limits(threads, user_api="blas")
        self.call = lambda: np.matmul(x, weight, out=y)
        self.call()
        common.check(y, x.astype(float) @ weight.astype(float))

    def teardown(self, channels, threads, layer, algorithm):
        if algorithm == "numpy.matmul":
            self.limits.restore_original_limits()

    def time_pointwise(self, channels, threads, layer, algorithm):
        self.call()


class Spatial:
    """k×k convolutions."""

    params = (configs.LAYER_CHANNELS, common.THREADS, tuple(configs.SPATIAL), ("auto", "direct", "winograd"))
    param_names = ("channels", "threads", "layer", "algorithm")
    version = "1"

    def setup(self, channels, threads, layer, algorithm):
        if algorithm == "winograd" and layer not in ("3x3", "5x5"):
            raise NotImplementedError("Winograd's transforms are for 3×3 and 5×5 of stride 1")
        self.call = common.Call(configs.SPATIAL[layer](channels), threads, algorithm)

    def time_spatial(self, channels, threads, layer, algorithm):
        self.call()


class Published:
    """The layers of SqueezeNet 1.0, GoogLeNet, ResNet-50, AlexNet and Network in Network."""

    params = (common.THREADS, tuple(configs.published()))
    param_names = ("threads", "layer")
    version = "1"

    def setup(self, threads, layer):
        self.call = common.PublishedCall(configs.published()[layer], threads)

    def time_published(self, threads, layer):
        self.call()


class LayerCosts:
    """Exact operations of the single convolutions."""

    params = (configs.LAYER_CHANNELS, (*configs.POINTWISE, *configs.SPATIAL))
    param_names = ("channels", "layer")
    version = "1"
    unit = "MACs"

    def track_macs(self, channels, layer):
        return (configs.POINTWISE | configs.SPATIAL)[layer](channels).cost().macs


class PublishedCosts:
    """Exact operations of the published layers."""

    params = (tuple(configs.published()),)
    param_names = ("layer",)
    version = "1"
    unit = "MACs"

    def track_macs(self, layer):
        return configs.published()[layer].cost().macs
