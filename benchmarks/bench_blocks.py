"""The blocks, channel count by channel count: the time of a call, its exact operations, and the NumPy reference."""

from . import common, configs


class Blocks:
    """A call of each block's plan."""

    params = (configs.CHANNELS, common.THREADS, tuple(configs.BLOCKS), ("auto", "direct"))
    param_names = ("channels", "threads", "block", "algorithm")
    version = "1"

    def setup(self, channels, threads, block, algorithm):
        self.call = common.Call(configs.BLOCKS[block](channels), threads, algorithm)

    def time_block(self, channels, threads, block, algorithm):
        self.call()


class Costs:
    """Exact counts of the same calls."""

    params = (configs.CHANNELS, tuple(configs.BLOCKS))
    param_names = ("channels", "block")
    version = "1"

    def track_macs(self, channels, block):
        return configs.BLOCKS[block](channels).cost().macs

    track_macs.unit = "MACs"

    def track_bytes(self, channels, block):
        return configs.BLOCKS[block](channels).cost().bytes

    track_bytes.unit = "bytes"


class Reference:
    """The NumPy reference, float64, with as many BLAS threads as NumPy takes by itself."""

    params = (configs.SMALL_CHANNELS, tuple(configs.BLOCKS))
    param_names = ("channels", "block")
    version = "1"
    rounds = 1

    def setup(self, channels, block):
        self.call = common.reference_call(configs.BLOCKS[block](channels))

    def time_reference(self, channels, block):
        self.call()
