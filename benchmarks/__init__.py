"""fastconv's benchmark suite, run by asv: how time follows the number of operations, channel count by channel count.

    layers.py          a convolution or a block by its shapes
    configs.py         every block as a formula of its channel count; the published networks' layers
    common.py          integer data, plans, and the check that every timed cell passes first
    bench_blocks.py    the blocks: time, operations, bytes, the NumPy reference
    bench_layers.py    1×1 and k×k convolutions by algorithm; the published networks' layers
    bench_calls.py     what a call costs beside its arithmetic: overhead, import time, memory
    bench_machine.py   the facts without which a result is worth nothing
    peak.py            `python -m benchmarks.peak`: single convolutions against the machine's limits, without asv
    race/ engines/     `python -m benchmarks.race`: convolutions, blocks and networks against other engines
    busy/              `python -m benchmarks.busy`: calls beside busy processes, of other engines too
    errors.py          `python -m benchmarks.errors`: how the algorithms round values of many kinds
    compiled.py        `python -m benchmarks.compiled`: fastconv as PyTorch's compiler, against PyTorch's own
    models.py          `python -m benchmarks.models`: ONNX files against ONNX Runtime and OpenVINO
    cold.py            `python -m benchmarks.cold`: Winograd's gain where weights come from main memory
    first_use.py       `python -m benchmarks.first_use`: networks from their weights to the first result
    grids.py           what the next two share
    winograd_grid.py   `python -m benchmarks.winograd_grid`: Winograd's transforms against direct, shape by shape
    parts_grid.py      `python -m benchmarks.parts_grid`: blocks against their own parts
    cores.py           `python -m benchmarks.cores`: how many of 8 to 192 cores are kept busy, on paper
    __main__.py        `python -m benchmarks`: runs a profile, shows the progress, makes the report
    report/            asv's results as a summary and one page: `python -m benchmarks report`

Parameters stand in the order channels, threads, block or layer, algorithm: numbers first, for the axes of asv's page.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    from asv_runner.benchmarks import benchmark_types
    from asv_runner.benchmarks.time import TimeBenchmark
except ImportError as error:
    told = f"{error}; the suite needs the extra bench: python -m pip install '.[bench]'"
    raise ImportError(told, name=__name__) from None  # of this name, so that `python -m` tells it in one line


def headline(doc: str | None) -> str:
    """The first line of a docstring, none where Python leaves docstrings out (-OO)."""
    return (doc or "").partition("\n")[0]


def this_checkout_first() -> dict[str, str]:
    """The environment in which other processes import this checkout's fastconv, whichever is installed.

    What is installed may be another: the environment of a copied clone still names the clone that it was made in.
    """
    given = str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")
    path = os.pathsep.join(filter(None, given))
    return os.environ | {"PYTHONPATH": path, "ASV_PYTHONPATH": path}  # without the second asv takes the first away


class _Settings:
    """How long a cell is timed, where a benchmark does not say otherwise."""

    rounds = 3  # processes, spread over the run: a machine's slow spell meets one of them
    warmup_time = 0.1  # seconds
    repeat = (5, 15, 0.2)  # samples at least, at most, and seconds in a process


class WarmTimeBenchmark(TimeBenchmark):  # type: ignore[misc]  # asv_runner has no types
    """`time_*` in this suite: set up once in a process, then timed in a hot loop whose length asv calibrates.

    asv's own kind sets up again before every call, so that a kernel of microseconds would be one cold shot a sample.
    """

    _setup_isolates_timed_calls = False

    def __init__(self, name: str, func: Callable[..., Any], attr_sources: list[Any]) -> None:
        super().__init__(name, func, [*attr_sources, _Settings])

    def redo_setup(self) -> None:
        """Nothing: plans and arrays are made once."""


benchmark_types.insert(0, WarmTimeBenchmark)  # the first kind that a name fits is taken
