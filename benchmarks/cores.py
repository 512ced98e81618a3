"""`python -m benchmarks.cores`: how many cores each network would keep busy, on paper, and what they would gain.

For every convolution the partition for that number of cores is made, as a call would make it. *Busy* is the part of the
cores that have a task, of all the time that the cost model expects: it falls where tasks are fewer than cores, or no
multiple of them. *Gain* is the time of one core over that of all: it also counts what several cores transform or copy
anew, and that a call takes no more cores than a layer is large enough for. Memory, barriers and what is between the
convolutions do not count. None of the cores need be there.
"""

import argparse

import fastconv
from benchmarks import headline
from benchmarks.race.rows import NETWORKS
from fastconv._planning.profile import steps_for

CORES = 8, 16, 32, 64, 96, 128, 192


def convolutions(plan, x_shape):
    """The steps of a plan that multiply."""
    return [step for _, step in steps_for(plan, x_shape)[0] if step.macs]


def busy(steps, cores):
    """The part of `cores` that is busy from the first step to the last."""
    working = whole = 0.0
    for step in steps:
        runner = step.runner_for(1)
        time, tasks = runner.expected_time(cores), runner.tasks(cores)
        working += time * tasks / (-(-tasks // cores) * cores)
        whole += time
    return working / whole


def gain(steps, cores):
    """How many times as fast as one core the steps are with up to `cores` of them."""
    runners = [(step.runner_for(1), min(cores, step.useful)) for step in steps]
    return sum(runner.expected_time(1) for runner, _ in runners) / sum(runner.expected_time(n) for runner, n in runners)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cores", description=headline(__doc__))
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--cores", type=int, nargs="+", default=CORES)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS, metavar="NAME")
    options = parser.parse_args(arguments)
    networks = [(name, NETWORKS[name]()) for name in options.networks]
    fastconv.show_config()
    for what, form, of in (("busy", "6.2f", busy), ("gain", "6.1f", gain)):
        print(f"\n{f'{what}, batch {options.batch}; cores:':42}" + "".join(f"{n:6}" for n in options.cores))
        for name, network in networks:
            steps = convolutions(network.plan(), (options.batch, *network.input_shape))
            print(f"  {name:40}" + "".join(format(of(steps, n), form) for n in options.cores), flush=True)


if __name__ == "__main__":
    main()
