"""What is kept of a run: the README's tables, and a file for programs."""

import re
import subprocess
import textwrap
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

from benchmarks.race.results import means
from benchmarks.race.rows import OURS
from fastconv._planning import cpus
from fastconv._runners import team

CPUS = len(cpus.usable(team.affinity()))  # that this process may use
README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- The race writes this: make race RACE=--readme -->", "<!-- end of the race -->"
HEADS = {
    "torch": "PyTorch",
    "torch_compiled": "compiled",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "ncnn": "ncnn",
    "mnn": "MNN",
    "opencv": "OpenCV",
}


@dataclass(frozen=True)
class Run:
    """Where, when and with what a race was run."""

    machine: str
    cpus: int
    day: str
    commit: str
    versions: dict  # by engine

    @classmethod
    def now(cls, versions):
        model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=README.parent, capture_output=True, text=True, check=False
        )
        return cls(model[1] if model else "", CPUS, date.today().isoformat(), commit.stdout.strip(), versions)

    def record(self, results):
        """The run and its results as JSON has them."""
        return {**asdict(self), "results": [result.record() for result in results]}

    def __str__(self):
        versions = {HEADS[name]: version for name, version in self.versions.items() if name in HEADS}
        versions.pop("compiled", None)
        others = "".join(f", {name} {version}" for name, version in versions.items())
        text = f"{self.machine}, {self.cpus} CPUs, {self.day}, commit {self.commit}{others}."
        return textwrap.fill(text, 120, break_on_hyphens=False)


def write(path, run, results):
    """Put the tables where the markers stand in a page."""
    before, _, rest = path.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{path} must have the lines {BEGIN!r} and {END!r}")
    path.write_text(f"{before}{BEGIN}\n\n{tables(run, results)}\n{END}{after}", "utf-8")


def tables(run, results):
    """The tables of blocks and networks row by row, one of the means of all groups, and the machine."""
    by_group = {title: list(found) for title, found in groupby(sorted(results, key=_place(results)), _group)}
    detailed = {title: found for title, found in by_group.items() if title.startswith(("blocks", "networks"))}
    parts = [_rows(title, found) for title, found in detailed.items()]
    return "\n".join([*parts, _means(by_group), f"{run}\n"])


def _group(result):
    return result.group


def _place(results):
    """The order of groups and rows, the threads of a row beside each other."""
    places = {}
    for result in results:
        places.setdefault(result.group, len(places))
        places.setdefault((result.group, result.row), len(places))
    return lambda result: (places[result.group], places[result.group, result.row], result.threads)


def _rows(title, results):
    names = [name for name in HEADS if any(name in result.seconds for result in results)]
    lines = [["ms", "threads", "ratio", OURS, *(HEADS[name] for name in names)]]
    for result in results:
        exact = {"mnn": "mnn_exact"} if "mnn_exact" in result.seconds else {}
        cells = [result.cell(exact.get(name, name)) for name in (OURS, *names)]
        lines.append([result.row, str(result.threads), _number(result.ratio), *cells])
    return f"{title[0].upper()}{title[1:]}:\n\n{table(lines)}"


def _means(by_group):
    threads = sorted({result.threads for results in by_group.values() for result in results})
    lines = [["geometric mean (least)", "rows", *(f"{n} thread{'s' * (n > 1)}" for n in threads)]]
    for title, results in by_group.items():
        own = {n: [result for result in results if result.threads == n] for n in threads}
        cells = [f"{_number(mean)} ({_number(least)})" for mean, least in map(means, own.values())]
        lines.append([title, str(max(map(len, own.values()))), *cells])
    return table(lines)


def _number(value):
    return "–" if value is None else f"{value:.2f}"


def table(lines):
    """A Markdown table of lines of texts."""
    lines = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
