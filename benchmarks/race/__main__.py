"""`python -m benchmarks.race`: single convolutions, blocks and whole networks against other engines' on the same data.

Each engine has a process of its own, and they take turns. Every output is compared with the float64 reference: an
engine that is off by more than OFF (in field.py) of the largest value is shown with a star, but does not count. A ratio
is the time of the fastest other engine over fastconv's, above 1 where fastconv is ahead: the median of the ratios of
the rounds.

The engines that are not installed are skipped. They are large, so the environment variable PEERS_PYTHON may name
another interpreter that has them; `make race` sets one up.
"""

import argparse
import json
from pathlib import Path

import fastconv
from benchmarks import headline
from benchmarks.common import THREADS
from benchmarks.engines import ENGINES
from benchmarks.race import page, results
from benchmarks.race.engine import Engine
from benchmarks.race.field import installed, prepare
from benchmarks.race.rows import ALL, OURS, groups


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race", description=headline(__doc__))
    parser.add_argument("--threads", type=int, nargs="+", default=THREADS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, help="of an engine's turn; by default as the group says")
    parser.add_argument("--algorithm", choices=["auto", "direct"], help="of convolutions; by default as the group says")
    parser.add_argument("--engines", nargs="+", choices=ALL, default=ALL)
    parser.add_argument("--rows", nargs="+", default=[""], metavar="WORD", help="only rows or groups with such a word")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    parser.add_argument("--readme", action="store_true", help="write the README's tables")
    options = parser.parse_args()
    fastconv.show_config()
    raced = []
    for threads in options.threads:
        print(f"\nMilliseconds a call, {threads} thread{'s' * (threads > 1)}; < where less than wanted; * wrong")
        field = [Engine(name, threads) for name in ENGINES if name in {OURS, *options.engines}]
        try:
            versions = installed(field)
            field = [engine for engine in field if engine.name in versions]
            for title, group in groups(options.algorithm).items():
                raced += race_group(title, group, field, threads, options)
        finally:
            for engine in field:
                engine.close()
    run = page.Run.now(versions)
    if options.json:
        options.json.write_text(json.dumps(run.record(raced), indent=1) + "\n")
    if options.readme:
        page.write(page.README, run, raced)


def race_group(title, group, field, threads, options):
    """[Result] of the rows that are asked for, printed as a table."""
    rows = [row for row in group.rows if any(word in f"{title} {row.name}" for word in options.rows)]
    field = [engine for engine in field if engine.name in (OURS, *group.peers)]
    if not rows:
        return []
    names, found = [engine.name for engine in field], []
    print("\n" + results.head(title, names))
    for row in rows:
        found.append(results.Result(title, row.name, threads))
        ready = prepare(found[-1], row, field)
        race(found[-1], ready, options.rounds, group.seconds if options.seconds is None else options.seconds)
        print(results.line(found[-1], names, group.wanted), flush=True)
    print(results.foot(found, group.wanted))
    return found


def race(result, ready, rounds, seconds):
    """Let the engines take turns."""
    times = {engine.name: [] for engine in ready}
    for _ in range(rounds):
        for engine in ready:
            if engine.name not in result.errors:
                if turn := engine.turn(seconds):
                    times[engine.name].append(turn["median"])
                else:
                    result.errors[engine.name] = "crashed"
    result.seconds = {name: own for name, own in times.items() if name not in result.errors}


if __name__ == "__main__":
    main()
