"""The answer in words, every figure taken from the run, and the warnings."""

from statistics import geometric_mean

from fastconv.report.data import AUTO, NUMPY, UNSTEADY
from fastconv.report.findings import Finding
from fastconv.report.tables import UNSTEADY_MARK, listed, percent, significant, team

QUESTION = "When a 1×1 convolution saves operations, does the time shrink as they do?"
# Core types of OpenBLAS and BLIS whose vectors are narrower than those of an instruction set of ours.
_NO_AVX2 = {"generic", "prescott", "penryn", "core2", "nehalem", "sandybridge", "barcelona", "bulldozer", "piledriver"}
_NARROWER = {"avx2": _NO_AVX2, "avx512": _NO_AVX2 | {"haswell", "excavator", "zen", "zen2", "zen3"}}
_VERDICTS = ((0.9, "yes"), (0.5, "mostly"), (0.25, "partly"), (0, "hardly"))  # by the share of the factor kept


def answer(run):
    """The `Finding` of all blocks at the most and at the fewest channels, or None where no block can be compared."""
    cells = [cell for cell in run.blocks if cell.plain and cell.algorithm == AUTO]
    if not cells:
        return None
    channels = sorted({cell.channels for cell in cells})
    ends = [[cell for cell in cells if cell.channels == end] for end in dict.fromkeys((channels[-1], channels[0]))]
    behind = [timed for end in ends for cell in end for timed in (cell, cell.plain)]
    return Finding(QUESTION, " ".join(map(_at, ends)), list(dict.fromkeys(behind)))


def _at(cells):
    """A sentence of the blocks at one channel count, the numbers of threads of one verdict together."""
    verdicts = {}
    for threads in sorted({cell.threads for cell in cells}):
        found = [cell for cell in cells if cell.threads == threads]
        verdicts.setdefault(_verdict(found), {})[threads] = found
    said = [f"{verdict}: {(_slower if verdict == 'no' else _shrinking)(teams)}" for verdict, teams in verdicts.items()]
    return f"At {cells[0].channels} channels, {'; '.join(said)}."


def _verdict(cells):
    if 2 * sum(cell.time.is_steady and cell.plain.time.is_steady for cell in cells) < len(cells):
        return "too unsteady to tell"
    if 2 * len(_slow(cells)) >= len(cells):
        return "no"
    return next(text for least, text in _VERDICTS if geometric_mean(cell.kept for cell in cells) >= least)


def _slow(cells):
    return [cell for cell in cells if cell.time_saved < 1]


def _slower(teams):
    """How many blocks are slower, from {threads: cells}."""
    counts = {}
    for threads, cells in teams.items():
        counts.setdefault(f"{len(_slow(cells))} of {len(cells)} blocks", []).append(team(threads))
    each = [f"with {listed(threads)} {blocks}" for blocks, threads in counts.items()]
    return f"{listed(each)} are slower than the plain convolution"


def _shrinking(teams):
    """By what MACs and time are divided, geometric means, from {threads: cells}."""
    macs = geometric_mean(cell.macs_saved for cells in teams.values() for cell in cells)
    each = []
    for threads, cells in teams.items():
        time = geometric_mean(cell.time_saved for cell in cells)
        slower = f", but {len(_slow(cells))} of {len(cells)} blocks slower" if _slow(cells) else ""
        kept = percent(geometric_mean(cell.kept for cell in cells))
        each.append(f"÷ {significant(time, 2)} with {team(threads)} ({kept} of the factor{slower})")
    return f"MACs ÷ {significant(macs, 2)}, time {listed(each)}, in the geometric mean of the blocks"


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
