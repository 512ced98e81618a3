"""`python -m benchmarks.cores`: what part of many cores each network would keep busy, on paper.

For every convolution the partition for that number of cores is made, as a call would make it, and the cost model tells
what one core takes and what the core with the most tasks takes. The figure is the time of one core over that of all of
them together, from the first convolution to the last: tails, what several cores transform or copy, and cores for which
a layer is too small, count as lost. Memory, barriers and what is between the convolutions do not count. None of the
cores need be there.
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
    """The part of `cores` that is busy from the first step to the last, at most 1."""
    alone, together = 0.0, 0.0
    for step in steps:
        runner = step.runner_for(1)
        alone += runner.expected_time(1)
        together += runner.expected_time(min(cores, step.useful))
    return alone / (cores * together)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cores", description=headline(__doc__))
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--cores", type=int, nargs="+", default=CORES)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS, metavar="NAME")
    options = parser.parse_args(arguments)
    fastconv.show_config()
    print(f"\n{f'busy part of so many cores, batch {options.batch}':42}" + "".join(f"{n:6}" for n in options.cores))
    for name in options.networks:
        network = NETWORKS[name]()
        steps = convolutions(network.plan(), (options.batch, *network.input_shape))
        print(f"  {name:40}" + "".join(f"{busy(steps, n):6.2f}" for n in options.cores), flush=True)


if __name__ == "__main__":
    main()
