"""Where and when a run was measured, and what a reader must know before trusting it."""

from typing import Any

from benchmarks.report.records import NUMPY, UNSTEADY, Cell, Run, apart_by
from benchmarks.report.text import UNSTEADY_MARK, significant, size, team, times

# Core types of OpenBLAS and BLIS whose vectors are narrower than those of an instruction set of ours.
_NO_AVX2 = {"generic", "prescott", "penryn", "core2", "nehalem", "sandybridge", "barcelona", "bulldozer", "piledriver"}
_NARROWER = {"avx2": _NO_AVX2, "avx512": _NO_AVX2 | {"haswell", "excavator", "zen", "zen2", "zen3"}}


def where(run: Run) -> str:
    """One line: what was measured, where and when."""
    facts = run.facts
    known = [facts.get("cpu"), facts.get("isa"), team(run.thread_counts[-1])]
    known += [f"fastconv {facts['fastconv']}" if "fastconv" in facts else None, facts.get("source")]
    return " · ".join([text for text in known if text] + [f"measured on {run.started:%d %B %Y, %H:%M} UTC"])


def warnings(run: Run) -> list[str]:
    """What a reader must know before trusting the page."""
    ours = [cell for cell in run.single if cell.algorithm != NUMPY]
    made = block_warnings(run) + _contradictions(run, of_blocks=False)
    made += _unsteady("single convolutions", ours) + _unsteady("published layers", run.published)
    for threads, peak in run.peak.items():
        if threads > 1 and peak < run.peak.get(1, 0):
            made.append(
                f"The machine was busy: the limit of {team(threads)} was measured as {significant(peak)} GFLOP/s, less "
                f"than the {significant(run.peak[1])} of one. Do not rely on it."
            )
    return made


def block_warnings(run: Run) -> list[str]:
    """What a reader must know before trusting the table of blocks."""
    made = []
    if not run.facts:
        made.append("The result was stored without its facts: instruction set, threads and versions are unknown.")
    if run.facts.get("source", "").startswith("unknown"):
        made.append("It is unknown which commit was measured here: this was no build of a checkout's own.")
    if "uncommitted" in run.facts.get("source", ""):
        made.append("The source had uncommitted changes: no commit holds what was measured here.")
    if run.failed:
        made.append(f"Failed cells are missing here: {'; '.join(run.failed)}.")
    return made + _contradictions(run, of_blocks=True) + _unsteady("blocks", run.blocks)


def _contradictions(run: Run, of_blocks: bool) -> list[str]:
    """A warning where timings of one call contradict each other; `of_blocks`: of the calls in the table of blocks."""
    several = [cells for cells in run.same_calls.values() if len(cells) > 1]
    several = [cells for cells in several if any(cell in run.blocks for cell in cells) == of_blocks]
    apart = [c for c in several if apart_by(c) > 1 + UNSTEADY and not all(cell.time.is_repeated for cell in c)]
    if not apart:
        return []
    worst = max(apart, key=apart_by)
    return [
        f"Of {len(several)} calls that were timed more than once, {len(apart)} took different times, and "
        f"bear a {UNSTEADY_MARK}: differences of up to {times(apart_by(worst))} may be the machine's ({worst[0].name}, "
        f"{worst[0].channels} channels, {team(worst[0].threads)})."
    ]


def _unsteady(suite: str, cells: list[Cell]) -> list[str]:
    """A warning for each number of threads with which more than a tenth of the suite's cells are unsteady."""
    made = []
    for threads in sorted({cell.threads for cell in cells}):
        steady = [cell.time.is_steady for cell in cells if cell.threads == threads]
        if 10 * steady.count(False) > len(steady):
            made.append(
                f"The machine was busy or unsteady: {steady.count(False)} of the {len(steady)} timings of {suite} with "
                f"{team(threads)}, marked with {UNSTEADY_MARK}, cannot be relied on. Measure again when it is quiet."
            )
    return made


def narrow_blas(facts: dict[str, Any]) -> str:
    """A sentence, after a space, for the figures of a BLAS that ran narrower vectors than ours; or ""."""
    core = facts.get("blas", "").rpartition("(")[2].rstrip(")")  # in brackets, as get_config has it
    if core.lower() not in _NARROWER.get(facts.get("isa", ""), ()):
        return ""
    asked = facts.get("OPENBLAS_CORETYPE")
    return (
        f" SciPy's BLAS ran kernels for {core}, of narrower vectors than {facts['isa']}: blas, and NumPy where its "
        "BLAS did the same, stay below what this machine can do." + f" OPENBLAS_CORETYPE={asked} was set." * bool(asked)
    )


def measured_on(run: Run) -> dict[str, str]:
    """What the timed processes said of themselves, and what asv alone knows of the machine."""
    machine = {name: run.machine[name] for name in ("machine", "cpu", "num_cpu", "os", "ram") if name in run.machine}
    if machine.get("ram", "").isdecimal() and len(machine["ram"]) < 19:
        machine["ram"] = size(int(machine["ram"]))
    return machine | {name: _fact(value) for name, value in run.facts.items() if name != "choices"}


def _fact(value: Any) -> str:
    """A value of get_config as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else value
