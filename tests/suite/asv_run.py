"""Small asv results of known figures, for the tests of the report."""

import json
from itertools import product

from asv.results import Results
from asv.runner import BenchmarkResult
from asv.util import write_json

from benchmarks.report import data

CHANNELS, THREADS = (16, 64, 256), (1, 2)
MACS = {"plain 3×3": 9 * 784, "reduced/4 3×3": 784 * 5 // 2, "fire/8 3×3": 784 * 3 // 4}  # for each c²
MACHINE = {"machine": "known", "cpu": "A CPU", "num_cpu": "2"}
FACTS = {
    "isa": "avx2",
    "threads": 2,
    "cpu": "A CPU",
    "fastconv": "1.2.3",
    "source": "commit 0123456789ab",
    "blocks_input": "28×28",
    "choices": {"1×1 c→c": [[1, 512, "direct"]], "3×3": [[1, 30, "direct"], [31, 512, "winograd F(4×4, 3×3)"]]},
}
SPEEDS = {  # a 3×3 in times of the plain convolution, which is what "auto" takes; the choice is wrong at 16 channels
    "auto": lambda c: 1,
    "direct": lambda c: 2 if c > 30 else 1,
    "winograd": lambda c: 1 if c > 30 else 0.5,
}


def seconds(channels, threads, block):
    """30 µs a call, and 50 GFLOP/s a thread, of which only the plain convolution reaches the second."""
    return 3e-5 + 2 * MACS[block] * channels**2 / (5e10 * (threads if block.startswith("plain") else 1))


def add(result, name, params, value_of):
    """Store what `value_of` gives for each combination of params: a number, or samples where it gives a list."""
    combinations = list(product(*params)) or [()]
    values = [value_of(*combination) for combination in combinations]
    timed = [isinstance(value, list) for value in values]
    outcome = BenchmarkResult(
        result=[True if t else value for t, value in zip(timed, values, strict=True)],
        samples=[value if t else None for t, value in zip(timed, values, strict=True)],
        number=[1 if t else None for t in timed],
        errcode=0,
        stderr="",
        profile=None,
    )
    typed = [[repr(value).replace("×", "x") for value in values] for values in params]  # the suite's names are ASCII
    result.add_result({"name": name, "version": "1", "params": typed}, outcome)


def store(folder, *, commit="0123456789abcdef", unsteady=(), fails=(), facts=FACTS, calls=()):
    """A folder of results with one run; of cells with these keys the samples lie far apart, or are missing.

    Keys are channels, threads and name, and of a 3×3 by itself the algorithm too.
    `calls` are names of benchmarks that take channels and a block, and give bytes.
    """

    def around(middle, *key):
        step = 0.3 if key in unsteady else 0.01
        return None if key in fails else [middle * (1 + step * i) for i in (-2, -1, 0, 1, 2)]

    def block(channels, threads, name, algorithm):
        return around(seconds(channels, threads, name), channels, threads, name)

    def spatial(channels, threads, name, algorithm):
        middle = SPEEDS[algorithm](channels) * seconds(channels, threads, "plain 3×3")
        return around(middle, channels, threads, name, algorithm)

    result = Results(MACHINE, {}, commit, 0, "3.11", "existing", {})
    add(result, data.BLOCKS, (CHANNELS, THREADS, tuple(MACS), ("auto",)), block)
    add(result, data.BLOCK_MACS, (CHANNELS, tuple(MACS)), lambda c, block: MACS[block] * c * c)
    add(result, data.BLOCK_BYTES, (CHANNELS, tuple(MACS)), lambda c, block: 8 * 784 * c)
    add(result, data.REFERENCE, ((16,), tuple(MACS)), lambda c, block: [1e-3])
    algorithms = ("blas", "direct", "numpy.matmul")
    add(result, data.POINTWISE, (CHANNELS, THREADS, ("1×1 c→c",), algorithms), lambda c, *_: [1e-9 * c**2] * 2)
    add(result, data.SPATIAL, (CHANNELS, THREADS, ("3×3",), tuple(SPEEDS)), spatial)
    add(result, data.LAYER_MACS, (CHANNELS, ("1×1 c→c", "3×3")), lambda c, _: 784 * c * c)
    add(result, "bench_calls.Overhead.time_plan", (), lambda: [2.5e-6, 2.5e-6])
    for name in calls:
        add(result, data.CALLS + name, ((16,), ("plain 3×3",)), lambda c, block: 3 * 2**20)
    add(result, data.PEAK, (THREADS,), lambda threads: 55.0 * threads)
    add(result, data.FACTS, ((json.dumps(facts),),), lambda recorded: 1)
    result.save(str(folder))
    write_json(str(folder / "known" / "machine.json"), MACHINE, 1)
    return folder


def cell_of(run, name, channels, threads):
    return next(cell for cell in run.series(name, threads) if cell.channels == channels)


def row(table, *begins):
    """{heading: text} of the row of a table that begins so."""
    (found,) = (cells for cells in table.rows if tuple(cells[: len(begins)]) == begins)
    return dict(zip(table.columns, found, strict=True))
