"""`python -m benchmarks [--full]`: run the suite on this machine with progress, and make the report.

Without --full: the quick profile, on fastconv as it is installed here, uncommitted changes and all. With it: the whole
suite on the last commit, built by asv in an environment of its own with pinned versions, and asv's page of the history.
`python -m benchmarks report` makes the page again from the results that are there.

asv imports this module too when it collects the suite, in environments without asv: so its imports are in functions.
"""

import argparse
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fastconv
from benchmarks import headline, report, this_checkout_first
from fastconv.cli import in_one_line

ROOT = Path(__file__).parents[1]
CONFIG = Path(__file__).with_name("asv.conf.json")
STATE = ROOT / ".asv"
LOG = STATE / "run.log"
ASV = (sys.executable, "-m", "asv", "--config", str(CONFIG))
CELL = re.compile(  # asv --verbose tells it twice, once with the environment; the paths may hold spaces
    r"Running '.*?benchmark\.py run .*?/benchmarks (?P<benchmark>bench_\w+\.[\w.]+)(-(?P<index>\d+))? .*' in \w+-"
)
QUICK_ROUNDS = 2
_FEW = "(4|16|64|256)"  # channels of single convolutions
_CHANNELS, _BLOCKS = "(16|32|64|128|256)", "(plain .x.|reduced/4 3x3|reduced/8 5x5|bottleneck/4 3x3|fire/8 3x3)"
QUICK = (  # what the quick profile runs: expressions on "module.Class.benchmark(parameters)", as asv takes them
    rf"bench_blocks\.Blocks\.time_block\({_CHANNELS}, \d+, '{_BLOCKS}', 'auto'",
    rf"bench_blocks\.Costs\.\w+\({_CHANNELS}, '{_BLOCKS}'",
    r"bench_blocks\.Reference\.time_reference\((16|64), '(plain 3x3|bottleneck/4 3x3|fire/8 3x3)'",
    rf"bench_layers\.Pointwise\.time_pointwise\({_FEW}, \d+, '1x1 c→c'",
    rf"bench_layers\.Spatial\.time_spatial\({_FEW}, \d+, '(3x3|5x5)'",
    rf"bench_layers\.LayerCosts\.track_macs\({_FEW}, '(1x1 c→c|3x3|5x5)'",
    r"bench_calls\.(Overhead|Function|timeraw)",
    r"bench_machine\.",
)


def main(arguments=None):
    """Run the suite or make the report, by these arguments, the command line's by default; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=headline(__doc__))
    parser.add_argument(
        "--full",
        nargs="?",
        const="HEAD^!",
        metavar="COMMITS",
        help="the whole suite on these commits, by default the last, and asv's page of the history",
    )
    parser.set_defaults(run=measure)
    again = parser.add_subparsers().add_parser("report", description="Make the report of results that are there.")
    again.add_argument("--results", default=STATE / "results", help="asv's folder of results (%(default)s)")
    again.add_argument("--output", default=STATE / "report.html", help="the page to write (%(default)s)")
    again.add_argument("--figure", metavar="FILE", help="also write the first figure here, as SVG")
    again.add_argument("--machine", help="only results of this machine")
    again.add_argument("--commit", help="only results of commits that start so")
    again.set_defaults(run=make_report)
    options = parser.parse_args(arguments)
    return in_one_line(parser.prog, lambda: options.run(options))


def make_report(options):
    """Make the report of results that are there."""
    report.make(options.results, options.output, options.machine, options.commit, options.figure)


def measure(options):
    """Run a profile and make its report; returns asv's exit code."""
    commits, machine = options.full, register_machine()
    print(f"Measuring on {machine}; asv's own output goes to {LOG}")
    if commits:
        count = int(git("rev-list", "--first-parent", "--count", commits))
        status = run(["--machine", machine, commits], Progress(commits=count), os.environ)
        status = subprocess.run([*ASV, "publish"]).returncode or status
        print(f"asv's page of the history: {STATE / 'html' / 'index.html'}; it loads its scripts from the network")
    else:
        options = ["--machine", machine, "-E", "existing:same", f"--set-commit-hash={commit()}"]
        environment = this_checkout_first()
        check_measured(environment)
        status = run([*options, "-a", f"rounds={QUICK_ROUNDS}"], Progress(QUICK, QUICK_ROUNDS), environment)
    report.make(STATE / "results", STATE / "report.html", machine)
    return status


def register_machine():
    """A name for this kind of machine, told to asv; host names say nothing on rented machines."""
    from asv.machine import Machine, MachineCollection

    config = fastconv.get_config()
    words = f"{config['cpu']} {config['cpus']} cpus {config['isas_detected'][-1]}"
    name = "-".join(re.findall(r"[a-z0-9.]+", words.lower()))
    MachineCollection.save(name, Machine.get_defaults() | {"machine": name, "cpu": config["cpu"]})
    return name


def commit():
    """The commit to file results under; what is not committed gets one of its own, which no branch knows."""
    name = ["-c", "user.name=fastconv", "-c", "user.email=fastconv@localhost"]  # a new machine has none
    return git(*name, "stash", "create") or git("rev-parse", "HEAD")


def git(*arguments):
    """What git prints."""
    try:
        return subprocess.run(
            ["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"{error}\nasv files results by commit: this needs git and a checkout with a commit") from None


def check_measured(environment):
    """End the program where processes in this environment would measure another fastconv than this checkout's."""
    command = [sys.executable, "-c", "import fastconv; print(fastconv.__file__)"]
    with tempfile.TemporaryDirectory() as elsewhere:  # as asv's processes, which do not start here
        done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"fastconv cannot be imported: {done.stderr.strip().rpartition(chr(10))[2]}")
    if not Path(done.stdout.strip()).parents[1].samefile(ROOT):
        raise SystemExit(f"{done.stdout.strip()} would be measured, which is not of this checkout: {ROOT}")


def run(options, progress, environment):
    """Run asv with these options, showing its progress; returns its exit code once something was measured.

    Where asv makes an environment, it takes the first Python of our version on the path: so ours is put there.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)])
    chosen = [part for expression in progress.selection for part in ("--bench", expression)]
    command = [*ASV, "--verbose", "run", "--record-samples", "--show-stderr", *options, *chosen]
    STATE.mkdir(exist_ok=True)
    with (
        LOG.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env={**environment, "PATH": path},
        ) as asv,
    ):
        for line in asv.stdout:
            log.write(line)
            if found := CELL.search(line):
                progress.show(found["benchmark"], int(found["index"] or 0))
    print()
    if asv.returncode:
        print(f"asv ended with {asv.returncode}: something failed; the log tells what: {LOG}", file=sys.stderr)
    if not progress.done:
        raise SystemExit(LOG.read_text("utf-8")[-2000:])
    return asv.returncode


class Progress:
    """One line that says which cell is being measured, how many there are, and how long it will take."""

    def __init__(self, selection=(), rounds=None, commits=1):
        self.selection, self.rounds, self.commits = selection, rounds, commits
        self.done, self.total, self.start, self.last = 0, None, time.monotonic(), 0

    def show(self, benchmark, index):
        """Count the cell and print the line: over the last one on a terminal, now and then elsewhere."""
        if self.total is None:
            self._count()
        self.done += 1
        now = time.monotonic()
        is_terminal = sys.stdout.isatty()
        if now - self.last < (0.1 if is_terminal else 10) and self.done < self.total:
            return
        self.last = now
        left = (now - self.start) * (self.total - self.done) / self.done
        params = next(itertools.islice(itertools.product(*self.benchmarks[benchmark]["params"]), index, None))
        told = (param for param in params if "{" not in param)  # the recorded facts are JSON
        cell = f"{benchmark.split('.')[-1]} {', '.join(told)}"[:60].rstrip()
        text = f"[{self.done:4}/{self.total}] about {left / 60:.1f} min left: {cell}"
        print(f"\r{text}\033[K" if is_terminal else text, end="" if is_terminal else "\n", flush=True)

    def _count(self):
        """Read from asv's list of benchmarks, written just before the first cell, how many cells there will be."""
        from asv.benchmarks import Benchmarks
        from asv.config import Config

        config = Config.load(str(CONFIG))
        config.results_dir = str(STATE / "results")
        self.benchmarks = Benchmarks.load(config, regex=list(self.selection))
        self.total = self.commits * sum(
            len(self.benchmarks.benchmark_selection[name] or [0]) * (self.rounds or benchmark.get("rounds", 1))
            for name, benchmark in self.benchmarks.items()
        )


if __name__ == "__main__":
    sys.exit(main())
