"""What grids of shapes share: their options, and calls that are timed in turns."""

import argparse
from time import perf_counter

from benchmarks import headline

CHANNELS = 8, 16, 32, 64, 128, 256, 512
MIN_SECONDS = 1e-3  # of calls between two looks at the clock


def options(name, doc, maps, arguments):
    """Those of `python -m benchmarks.NAME`, with the channel counts and maps that are asked for."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=headline(doc))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="every other channel count and map")
    parser.add_argument("--channels", type=int, nargs="+", default=CHANNELS)
    parser.add_argument("--maps", type=int, nargs="+", default=maps)
    found = parser.parse_args(arguments)
    step = 2 if found.quick else 1
    found.channels, found.maps = found.channels[::step], found.maps[::step]
    return found


def least_seconds(calls, turns):
    """The least time of each call, in turns forwards and backwards: whatever else runs on the machine only adds."""
    counts = [max(1, round(MIN_SECONDS / seconds(call, 2))) for call in calls]
    pairs = [*enumerate(zip(calls, counts, strict=True))]
    times = [[] for _ in calls]
    for turn in range(turns):
        for i, (call, count) in reversed(pairs) if turn % 2 else pairs:
            times[i].append(seconds(call, count))
    return [*map(min, times)]


def seconds(call, count):
    """A call's, the mean of so many."""
    start = perf_counter()
    for _ in range(count):
        call()
    return (perf_counter() - start) / count
