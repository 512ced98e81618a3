"""asv's results as plain records: the only module of the report that knows asv or the names of the benchmarks."""

import json
import re
from ast import literal_eval
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from itertools import product
from math import isnan

BLOCKS, REFERENCE = "bench_blocks.Blocks.time_block", "bench_blocks.Reference.time_reference"
BLOCK_MACS, BLOCK_BYTES = "bench_blocks.Costs.track_macs", "bench_blocks.Costs.track_bytes"
POINTWISE, SPATIAL = "bench_layers.Pointwise.time_pointwise", "bench_layers.Spatial.time_spatial"
LAYER_MACS = "bench_layers.LayerCosts.track_macs"
PUBLISHED, PUBLISHED_MACS = "bench_layers.Published.time_published", "bench_layers.PublishedCosts.track_macs"
CALLS = "bench_calls."
FACTS, PEAK = "bench_machine.track_facts", "bench_machine.track_peak"
AUTO, NUMPY = "auto", "numpy.matmul"
UNSTEADY = 0.25  # of a median is what half of the samples may span
_TYPED_KERNEL = re.compile(r"(?<=\d)x(?=\d)")  # the suite's names are ASCII, to be typed: 3x3, for a reader 3×3


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one call: the median of asv's samples and their quartiles."""

    median: float
    low: float
    high: float

    @property
    def spread(self):
        """The width between the quartiles, as a share of the median."""
        return (self.high - self.low) / self.median

    @property
    def is_steady(self):
        """Whether the figure can be relied on."""
        return self.spread <= UNSTEADY


@dataclass(frozen=True, slots=True)
class Cell:
    """One timed cell of a suite.

    `bytes` is the least memory traffic, where it is known; `plain` the cell of the plain convolution that a block can
    stand for.
    """

    name: str
    channels: int
    threads: int
    algorithm: str
    time: Timing
    macs: int
    bytes: int | None = None
    plain: "Cell | None" = None

    @property
    def gflops(self):
        """Effective speed, in 10⁹ FLOP/s; one MAC is two FLOP."""
        return 2e-9 * self.macs / self.time.median

    @property
    def intensity(self):
        """MACs for each byte of the least memory traffic."""
        return self.macs / self.bytes

    @property
    def macs_saved(self):
        """How many times fewer MACs than the plain convolution."""
        return self.plain.macs / self.macs

    @property
    def time_saved(self):
        """How many times as fast as the plain convolution."""
        return self.plain.time.median / self.time.median

    @property
    def time_saved_range(self):
        """`time_saved` from the quartiles that make it smallest and largest."""
        return self.plain.time.low / self.time.high, self.plain.time.high / self.time.low

    @property
    def kept(self):
        """The share of the saved operations that is saved time too."""
        return self.time_saved / self.macs_saved


@dataclass(frozen=True, slots=True)
class Run:
    """One result file of asv: one commit, one machine, one environment. `peak` is in GFLOP/s by threads."""

    commit: str
    environment: str
    machine: dict
    facts: dict
    started: datetime
    peak: dict = field(default_factory=dict)
    blocks: list = field(default_factory=list)
    pointwise: list = field(default_factory=list)
    spatial: list = field(default_factory=list)
    published: list = field(default_factory=list)
    reference: dict = field(default_factory=dict)
    calls: dict = field(default_factory=dict)
    failed: list = field(default_factory=list)

    @property
    def choices(self):
        """{layer: [(first, last, algorithm)]}: what "auto" takes at which channel counts, by the run's own word."""
        return self.facts.get("choices", {})

    def taken(self, layer, channels):
        """The name of the algorithm that "auto" takes there; None where the run does not say."""
        spans = [algorithm for first, _, algorithm in self.choices.get(layer, ()) if first <= channels]
        return spans[-1].split()[0] if spans else None

    @property
    def single(self):
        """The cells of single convolutions of the suite, by algorithm."""
        return self.pointwise + self.spatial

    @property
    def cells(self):
        """Every timed cell."""
        return self.blocks + self.single + self.published

    @property
    def compared(self):
        """The blocks' cells, computed as "auto" chooses, that have their plain convolution beside them."""
        return [cell for cell in self.blocks if cell.plain and cell.algorithm == AUTO]

    @property
    def thread_counts(self):
        """Thread counts measured, ascending."""
        return sorted({cell.threads for cell in self.blocks})

    def series(self, name, threads, algorithm=AUTO):
        """The cells of one block, by ascending channels."""
        found = [c for c in self.blocks if (c.name, c.threads, c.algorithm) == (name, threads, algorithm)]
        return sorted(found, key=lambda cell: cell.channels)

    def saving(self, name, threads):
        """The cells of one block that have their plain convolution beside them, by ascending channels."""
        return [cell for cell in self.series(name, threads) if cell.plain]

    def names(self, savers_only=False):
        """The blocks measured, in the suite's order; `savers_only` leaves out the plain convolutions."""
        found = dict.fromkeys(cell.name for cell in self.blocks)
        return [name for name in found if not (savers_only and name == plain_name(name))]


def plain_name(block):
    """The plain convolution a block can stand for: the last word of its name is the kernel."""
    return f"plain {block.split()[-1]}"


def load(results_dir, machine=None, commit=None):
    """The `Run` that was started last among asv's results, of this machine and commit if they are given.

    Raises
    ------
    FileNotFoundError
        Where there is no such result with a timed block in it.
    """
    from asv.results import iter_results

    timed = [result for result in iter_results(str(results_dir)) if any(_values(result, BLOCKS))]
    if not timed:
        raise FileNotFoundError(f"no timed blocks in the asv results under {results_dir}; `make bench` measures some")
    runs = [
        result
        for result in timed
        if machine in (None, result.params["machine"]) and result.commit_hash.startswith(commit or "")
    ]
    if not runs:
        asked = " and ".join(f"{name} {value}" for name, value in (("machine", machine), ("commit", commit)) if value)
        there = sorted({f"commit {result.commit_hash[:8]} on machine {result.params['machine']}" for result in timed})
        raise FileNotFoundError(f"no result of {asked} under {results_dir}; there are {', '.join(there)}")
    return _run(max(runs, key=_started))


def _run(result):
    return Run(
        commit=result.commit_hash,
        environment=result.env_name,
        machine={key: value for key, value in result.params.items() if value},
        facts=next((json.loads(recorded) for (recorded,), holds in _values(result, FACTS) if holds), {}),
        started=datetime.fromtimestamp(_started(result) / 1000, timezone.utc),
        peak={threads: value for (threads,), value in _values(result, PEAK)},
        blocks=_with_plain(_cells(result, BLOCKS, BLOCK_MACS, BLOCK_BYTES)),
        pointwise=_cells(result, POINTWISE, LAYER_MACS),
        spatial=_cells(result, SPATIAL, LAYER_MACS),
        published=_published(result),
        reference=dict(_timings(result, REFERENCE)),
        calls={
            (name.rsplit(".", 1)[-1], *params): value
            for name in sorted(result.get_all_result_keys())
            if name.startswith(CALLS)
            for params, value in _values(result, name)
        },
        failed=sorted(_failed(result)),
    )


def _cells(result, timed, counted, moved=None):
    """The cells of a suite whose MACs are known; its parameters are channels, threads, name, algorithm."""
    macs, size = dict(_values(result, counted)), dict(_values(result, moved)) if moved else {}
    return [
        Cell(name, channels, threads, algorithm, time, macs[channels, name], size.get((channels, name)))
        for (channels, threads, name, algorithm), time in _timings(result, timed)
        if (channels, name) in macs
    ]


def _published(result):
    """The cells of the published networks' layers, which have no common channel count."""
    macs = dict(_values(result, PUBLISHED_MACS))
    return [
        Cell(name, 0, threads, AUTO, time, macs[name,])
        for (threads, name), time in _timings(result, PUBLISHED)
        if (name,) in macs
    ]


def _with_plain(cells):
    """The same cells, each but the plain ones with the plain convolution beside it."""
    by_key = {(c.channels, c.threads, c.name, c.algorithm): c for c in cells}
    return [
        replace(c, plain=by_key.get((c.channels, c.threads, plain_name(c.name), c.algorithm)))
        if c.name != plain_name(c.name)
        else c
        for c in cells
    ]


def _started(result):
    return max(result.started_at.values())


def _items(result, name):
    """(parameters, value, statistics) of every cell of a benchmark; None is a failure, NaN one that was not run."""
    if name not in result.get_all_result_keys():
        return
    lists = result.get_result_params(name)
    values, stats = result.get_result_value(name, lists), result.get_result_stats(name, lists)
    for params, value, stat in zip(product(*lists), values, stats, strict=True):
        yield tuple(literal_eval(_TYPED_KERNEL.sub("×", param)) for param in params), value, stat


def _was_run(value):
    return not (isinstance(value, float) and isnan(value))


def _values(result, name):
    return [(params, value) for params, value, _ in _items(result, name) if value is not None and _was_run(value)]


def _timings(result, name):
    for params, value, stat in _items(result, name):
        if value is not None and _was_run(value):
            yield params, Timing(value, stat["q_25"], stat["q_75"])


def _failed(result):
    for name in result.get_all_result_keys():
        for params, value, _ in _items(result, name):
            if value is None:
                yield f"{name}({', '.join(map(str, params))})"
