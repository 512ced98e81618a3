"""The answer in words, every figure taken from the run: does the time shrink as the operations do?"""

from statistics import geometric_mean

from fastconv.report.data import UNSTEADY
from fastconv.report.tables import UNSTEADY_MARK, listed, percent, significant, team

# Core types of OpenBLAS and BLIS whose vectors are narrower than those of an instruction set of ours.
_NO_AVX2 = {"generic", "prescott", "penryn", "core2", "nehalem", "sandybridge", "barcelona", "bulldozer", "piledriver"}
_NARROWER = {"avx2": _NO_AVX2, "avx512": _NO_AVX2 | {"haswell", "excavator", "zen", "zen2", "zen3"}}
_VERDICTS = ((0.9, "Yes."), (0.7, "Mostly."), (0.4, "Partly."), (0, "Hardly."))  # by the share kept


def answer(run):
    """Over all blocks, at the most and at the fewest channels: the share of the saving that arrives, or None."""
    names = [name for name in run.names(savers_only=True) if run.saving(name, run.thread_counts[0])]
    if not names:
        return None

    def shares(end):
        return {
            threads: geometric_mean(run.saving(name, threads)[end].kept for name in names)
            for threads in run.thread_counts
        }

    def said(end):
        channels = {run.saving(name, run.thread_counts[0])[end].channels for name in names}
        parts = [f"{percent(share)} with {team(threads)}" for threads, share in shares(end).items()]
        return f"at {listed(channels)} channels {' and '.join(parts)}"

    unsteady = _unsteady(run.blocks)
    steady = [share for threads, share in shares(-1).items() if threads not in unsteady]
    if not steady:
        verdict = "This run is too unsteady to tell."
    else:
        verdict = next(text for least, text in _VERDICTS if geometric_mean(steady) >= least)
        if unsteady:
            verdict += f" With {listed(map(team, unsteady))} this run is too unsteady to tell."
    return (
        f"{verdict} Of the factor by which a block needs fewer operations than the plain convolution, this much is "
        f"also a factor of time: {said(-1)}; {said(0)} (geometric mean over {len(names)} blocks)."
    )


def where(run):
    """One line: what was measured, where and when."""
    facts = run.facts
    known = [facts.get("cpu"), facts.get("isa"), team(run.thread_counts[-1])]
    known += [f"fastconv {facts['fastconv']}" if "fastconv" in facts else None, facts.get("source")]
    return " · ".join([text for text in known if text] + [f"measured on {run.started:%d %B %Y, %H:%M} UTC"])


def warnings(run):
    """What a reader must know before trusting the page."""
    made = []
    if "uncommitted" in run.facts.get("source", ""):
        made.append("The source had uncommitted changes: no commit holds what was measured here.")
    if run.failed:
        made.append(f"Failed cells are missing here: {'; '.join(run.failed)}.")
    for threads in sorted(set().union(*map(_unsteady, (run.blocks, run.single, run.published)))):
        cells = [cell for cell in run.cells if cell.threads == threads]
        unsteady = [cell for cell in cells if not cell.time.is_steady]
        made.append(
            f"The machine was busy or unsteady with {team(threads)}: half of the samples span more than "
            f"{percent(UNSTEADY)} of the median in {len(unsteady)} of {len(cells)} cells. The tables mark them with "
            f"{UNSTEADY_MARK}: do not rely on these figures; measure again when it is quiet."
        )
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
    if not run.facts:
        made.append("The result was stored without its facts: instruction set, threads and versions are unknown.")
    return made


def _unsteady(cells):
    """The numbers of threads with which more than a tenth of these cells are unsteady, ascending."""
    found = {}
    for cell in cells:
        found.setdefault(cell.threads, []).append(not cell.time.is_steady)
    return [threads for threads, unsteady in sorted(found.items()) if 10 * sum(unsteady) > len(unsteady)]


def _narrow_blas(facts):
    """The core type of the BLAS, as get_config gives it in brackets, where its vectors are narrower than ours."""
    core = facts.get("blas", "").rpartition("(")[2].rstrip(")")
    return core if core.lower() in _NARROWER.get(facts.get("isa"), ()) else None
