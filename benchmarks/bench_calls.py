"""What a call costs beside its arithmetic: the overhead of a small one, import time, and memory."""

from pathlib import Path

from asv_runner.benchmarks.mark import SkipNotImplemented

import fastconv

from . import common, configs


class Overhead:
    """A 1×1 of 16 to 16 channels on 8×8 pixels, whose arithmetic takes about a microsecond, with one thread."""

    version = "1"

    def setup(self):
        self.call = common.Call(configs.SMALLEST, 1)
        self.arguments = common.arguments(configs.SMALLEST)

    def time_plan(self):
        self.call()

    def time_plan_new_output(self):
        self.call.plan(self.call.x)

    def time_conv2d(self):
        fastconv.conv2d(self.call.x, *self.arguments, activation="relu", out=self.call.y, num_threads=1)


class Function:
    """`conv2d`, which packs the weights at every call, on layers that "auto" gives to Winograd, with one thread."""

    params = (tuple(configs.PACKED_IN_CALLS), ("auto", "direct"))
    param_names = ("layer", "algorithm")
    version = "1"

    def setup(self, layer, algorithm):
        layer = configs.PACKED_IN_CALLS[layer]
        call = common.Call(layer, 1, algorithm)
        self.arguments = call.x, *common.arguments(layer)
        self.options = {**layer.options, "activation": "relu", "algorithm": algorithm, "out": call.y, "num_threads": 1}

    def time_function(self, layer, algorithm):
        fastconv.conv2d(*self.arguments, **self.options)


def timeraw_import_fastconv():
    """Import in a fresh process, NumPy's import within it."""
    return "import fastconv"


def timeraw_import_numpy():
    """The part of the former that is NumPy's."""
    return "import numpy"


class Memory:
    """Memory of a plan's first call, counted by the operating system: result, packed weights and workspace."""

    params = (configs.CHANNELS, tuple(configs.BLOCKS))
    param_names = ("channels", "block")
    version = "1"
    unit = "bytes"

    def setup(self, channels, block):
        layer = configs.BLOCKS[block](channels)
        self.x, self.plan = common.integers(layer.x_shape, 2), common.plan(layer)

    def track_first_call(self, channels, block):
        """The high-water mark of resident memory during the call, above what was resident before."""
        try:
            Path("/proc/self/clear_refs").write_text("5")  # sets the mark back to what is resident now
        except OSError:
            raise SkipNotImplemented("needs Linux's /proc/self/clear_refs") from None
        before = _resident_bytes("VmRSS")
        self.plan(self.x)
        return _resident_bytes("VmHWM") - before

    def peakmem_process(self, channels, block):
        """The same process as a whole, NumPy and data included, for comparison between channel counts."""
        self.plan(self.x)


def _resident_bytes(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))
