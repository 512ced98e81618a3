"""asv's results as plain records: the only module of the report that knows the names of the benchmarks."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from itertools import chain
from math import isnan
from pathlib import Path
from typing import Any

from benchmarks.report.files import Result, a_count, a_name, a_text, an_amount, check, clean, read
from benchmarks.report.records import AUTO, Cell, Run, Timing, plain_name

BLOCKS, REFERENCE = "bench_blocks.Blocks.time_block", "bench_blocks.Reference.time_reference"
BLOCK_MACS, BLOCK_BYTES = "bench_blocks.Costs.track_macs", "bench_blocks.Costs.track_bytes"
POINTWISE, SPATIAL = "bench_layers.Pointwise.time_pointwise", "bench_layers.Spatial.time_spatial"
LAYER_MACS = "bench_layers.LayerCosts.track_macs"
PUBLISHED, PUBLISHED_MACS = "bench_layers.Published.time_published", "bench_layers.PublishedCosts.track_macs"
CALLS = "bench_calls."
FACTS, PEAK = "bench_machine.track_facts", "bench_machine.track_peak"
_CALL_PARAMETERS = {  # of those that the report shows
    **dict.fromkeys(("time_plan", "time_plan_new_output", "time_conv2d"), ()),
    **dict.fromkeys(("timeraw_import_fastconv", "timeraw_import_numpy"), ()),
    "time_function": (a_name, a_name),
    "track_first_call": (a_count, a_name),
}
Check = Callable[[object], bool]

_TEXTS = "cpu", "isa", "fastconv", "source", "blocks_input", "blas", "OPENBLAS_CORETYPE"  # among the facts


def load(results_dir: str | Path, machine: str | None = None, commit: str | None = None) -> Run:
    """The `Run` that was started last among asv's results, of this machine and commit if they are given.

    A file that cannot be read is passed over, with a line on stderr that says why.

    Raises
    ------
    FileNotFoundError
        Where there is no such result with a timed block in it.
    """
    timed = [run for run in read(results_dir, _run) if run.blocks]
    if not timed:
        raise FileNotFoundError(f"no timed blocks in the asv results under {results_dir}; `make bench` measures some")
    runs = [
        run for run in timed if machine in (None, run.machine.get("machine")) and run.commit.startswith(commit or "")
    ]
    if not runs:
        asked = " and ".join(f"{name} {value}" for name, value in (("machine", machine), ("commit", commit)) if value)
        there = sorted({f"commit {run.commit[:8]} on machine {run.machine.get('machine')}" for run in timed})
        raise FileNotFoundError(f"no result of {asked} under {results_dir}; there are {', '.join(there)}")
    return max(runs, key=lambda run: run.started)


def _run(result: Result) -> Run:
    """A result as a `Run`; ValueError where it holds what no run of the suite stores."""
    return _linked(
        Run(
            commit=result.commit,
            environment=result.environment,
            machine=result.machine,
            facts=next((_facts(recorded) for (recorded,), holds in _values(result, FACTS, a_text) if holds), {}),
            started=datetime.fromtimestamp(result.started / 1000, timezone.utc),
            peak={threads: _amount(value) for (threads,), value in _values(result, PEAK, a_count)},
            blocks=_cells(result, BLOCKS, BLOCK_MACS, BLOCK_BYTES),
            pointwise=_cells(result, POINTWISE, LAYER_MACS),
            spatial=_cells(result, SPATIAL, LAYER_MACS),
            published=_published(result),
            reference=dict(_timings(result, REFERENCE, a_count, a_name)),
            calls=_calls(result),
            failed=sorted(_failed(result)),
        )
    )


def _facts(recorded: str) -> Any:
    """The recorded facts: text, but for yes and no, lists of text, and the choices of "auto"."""
    facts = clean(json.loads(recorded))
    check(isinstance(facts, dict), "its facts are no object")
    choices = facts.pop("choices", {})
    check(
        isinstance(choices, dict) and all(isinstance(spans, list) and spans for spans in choices.values()),
        "its choices are no lists by layer",
    )
    for first, last, algorithm in chain.from_iterable(choices.values()):
        check(a_count(first) and a_count(last) and a_name(algorithm), "its choices are odd")
    for name, value in facts.items():
        if isinstance(value, list):
            facts[name] = list(map(str, value))
        elif not isinstance(value, bool):
            facts[name] = str(value)
    check(all(isinstance(facts.get(name, ""), str) for name in _TEXTS), "its facts are odd")
    return facts | ({"choices": choices} if choices else {})


def _cells(result: Result, timed: str, counted: str, moved: str | None = None) -> list[Cell]:
    """The cells of a suite whose MACs are known; its parameters are channels, threads, name, algorithm."""
    macs, size = (dict(_values(result, name, a_count, a_name)) if name else {} for name in (counted, moved))
    check(all(map(a_count, chain(macs.values(), size.values()))), f"{counted} counts no operations")
    return [
        Cell(name, channels, threads, algorithm, time, macs[channels, name], size.get((channels, name), 0))
        for (channels, threads, name, algorithm), time in _timings(result, timed, a_count, a_count, a_name, a_name)
        if (channels, name) in macs
    ]


def _published(result: Result) -> list[Cell]:
    """The cells of the published networks' layers, which have no common channel count."""
    macs = dict(_values(result, PUBLISHED_MACS, a_name))
    check(all(map(a_count, macs.values())), f"{PUBLISHED_MACS} counts no operations")
    return [
        Cell(name, 0, threads, AUTO, time, macs[name,])
        for (threads, name), time in _timings(result, PUBLISHED, a_count, a_name)
        if (name,) in macs
    ]


def _calls(result: Result) -> dict[tuple[Any, ...], float]:
    """{(benchmark, parameters ...): value} of what calls cost."""
    return {
        (short, *params): value
        for name in sorted(result.items)
        if name.startswith(CALLS)
        if (short := name.rsplit(".", 1)[-1]) in _CALL_PARAMETERS
        for params, value in _values(result, name, *_CALL_PARAMETERS[short])
    }


def _linked(run: Run) -> Run:
    """The same run, each cell with the other timings of its call, and each block with its plain convolution."""
    calls = run.same_calls

    def repeated(cell: Cell) -> Cell:
        others = tuple(other.time for other in calls[run.call_of(cell)] if other is not cell)
        return replace(cell, time=replace(cell.time, repeats=others))

    blocks, pointwise, spatial = (list(map(repeated, cells)) for cells in (run.blocks, run.pointwise, run.spatial))
    return replace(run, blocks=_with_plain(blocks), pointwise=pointwise, spatial=spatial)


def _with_plain(cells: list[Cell]) -> list[Cell]:
    """The same cells, each but the plain ones with the plain convolution beside it."""
    by_key = {(c.channels, c.threads, c.name, c.algorithm): c for c in cells}
    return [
        replace(c, plain=by_key.get((c.channels, c.threads, plain_name(c.name), c.algorithm)))
        if c.name != plain_name(c.name)
        else c
        for c in cells
    ]


def _items(result: Result, name: str, *kinds: Check) -> Iterator[tuple[Any, Any, Any]]:
    """(parameters, value, quartiles) of every cell of a benchmark that was run, each parameter of its kind."""
    for params, value, quartiles in result.items.get(name, ()):
        if value is not None and not isnan(value):
            fit = len(params) == len(kinds) and all(kind(param) for kind, param in zip(kinds, params, strict=True))
            check(fit, f"{name} has other parameters than are known: {params}")
            yield params, value, quartiles


def _values(result: Result, name: str, *kinds: Check) -> list[tuple[Any, Any]]:
    return [(params, value) for params, value, _ in _items(result, name, *kinds)]


def _timings(result: Result, name: str, *kinds: Check) -> Iterator[tuple[Any, Timing]]:
    for params, value, quartiles in _items(result, name, *kinds):
        check(quartiles, f"{name} has no quartiles")
        yield params, Timing(_amount(value), *quartiles)


def _amount(value: Any) -> float:
    check(an_amount(value), f"{value} is no amount")
    return float(value)


def _failed(result: Result) -> Iterator[str]:
    for name, items in result.items.items():
        for params, value, _ in items:
            if value is None:
                yield f"{name}({', '.join(map(str, params))})" if params else name
