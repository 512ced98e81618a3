"""Where and when a run was measured, and what a reader must know before trusting it."""

from fastconv.report.data import NUMPY, UNSTEADY
from fastconv.report.tables import UNSTEADY_MARK
from fastconv.report.text import percent, significant, team

# Core types of OpenBLAS and BLIS whose vectors are narrower than those of an instruction set of ours.
_NO_AVX2 = {"generic", "prescott", "penryn", "core2", "nehalem", "sandybridge", "barcelona", "bulldozer", "piledriver"}
_NARROWER = {"avx2": _NO_AVX2, "avx512": _NO_AVX2 | {"haswell", "excavator", "zen", "zen2", "zen3"}}


def where(run):
    """One line: what was measured, where and when."""
    facts = run.facts
    known = [facts.get("cpu"), facts.get("isa"), team(run.thread_counts[-1])]
    known += [f"fastconv {facts['fastconv']}" if "fastconv" in facts else None, facts.get("source")]
    return " · ".join([text for text in known if text] + [f"measured on {run.started:%d %B %Y, %H:%M} UTC"])


def warnings(run):
    """What a reader must know before trusting the page."""
    ours = [cell for cell in run.single if cell.algorithm != NUMPY]
    made = block_warnings(run) + _unsteady("single convolutions", ours) + _unsteady("published layers", run.published)
    for threads, peak in run.peak.items():
        if threads > 1 and peak < run.peak.get(1, 0):
            made.append(
                f"The machine was busy: the limit of {team(threads)} was measured as {significant(peak)} GFLOP/s, less "
                f"than the {significant(run.peak[1])} of one. Do not rely on it."
            )
    if core := _narrow_blas(run.facts):
        made.append(
            f"SciPy's BLAS ran kernels for {core}, of narrower vectors than {run.facts['isa']}: the figures of "
            '"blas", and those of NumPy where its BLAS did the same, are below what this machine can do.'
            + (f" OPENBLAS_CORETYPE={asked} was set." if (asked := run.facts.get("OPENBLAS_CORETYPE")) else "")
        )
    return made


def block_warnings(run):
    """What a reader must know before trusting the table of blocks."""
    made = []
    if not run.facts:
        made.append("The result was stored without its facts: instruction set, threads and versions are unknown.")
    if "uncommitted" in run.facts.get("source", ""):
        made.append("The source had uncommitted changes: no commit holds what was measured here.")
    if run.failed:
        made.append(f"Failed cells are missing here: {'; '.join(run.failed)}.")
    return made + _unsteady("blocks", run.blocks)


def _unsteady(suite, cells):
    """A warning for each number of threads with which more than a tenth of the suite's cells are unsteady."""
    made = []
    for threads in sorted({cell.threads for cell in cells}):
        steady = [cell.time.is_steady for cell in cells if cell.threads == threads]
        if 10 * steady.count(False) > len(steady):
            made.append(
                f"The machine was busy or unsteady: in {steady.count(False)} of the {len(steady)} timings of {suite} "
                f"with {team(threads)} the quartiles lie more than {percent(UNSTEADY)} of the median apart. The tables "
                f"mark them with {UNSTEADY_MARK}: do not rely on them; measure again when it is quiet."
            )
    return made


def _narrow_blas(facts):
    """The core type of the BLAS, as get_config gives it in brackets, where its vectors are narrower than ours."""
    core = facts.get("blas", "").rpartition("(")[2].rstrip(")")
    return core if core.lower() in _NARROWER.get(facts.get("isa"), ()) else None
