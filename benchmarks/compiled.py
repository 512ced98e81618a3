"""`python -m benchmarks.compiled`: PyTorch's eager mode, its own compiler with frozen weights, and fastconv's backend.

Each runs the same module on the same image, channels last, in a process of its own, and they take turns. A row has the
median of a call's milliseconds, and the ratios of the others' to fastconv's: above 1 where fastconv is ahead. It needs
the extra `torch`, and a C++ compiler for PyTorch's own.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import headline

ROOT = Path(__file__).parents[1]
NETWORKS = ["resnet50", "mobilenet_v2"]  # of tests/doors/torch_networks.py
OURS = "fastconv"
WAYS = ["eager", "inductor", OURS]


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiled", description=headline(__doc__))
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of a turn")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)  # what one of the processes runs
    options = parser.parse_args(arguments)
    if unknown := set(options.networks) - modules().keys():
        parser.error(f"--networks must be among {', '.join(modules())}, got {', '.join(sorted(unknown))}")
    if options.way:
        return turns(options)
    others = [way for way in WAYS if way != OURS]
    heads = "".join(f"{way + ' ms':>13}" for way in WAYS) + "".join(f"{f'{way}/{OURS}':>19}" for way in others)
    print(f"network        threads {heads}")
    for network in options.networks:
        for threads in options.threads:
            times = race(network, threads, options)
            ratios = (median(a / b for a, b in zip(times[way], times[OURS], strict=True)) for way in others)
            told = "".join(f"{1e3 * median(times[way]):13.2f}" for way in WAYS)
            print(f"{network:15}{threads:7} {told}" + "".join(f"{ratio:19.2f}" for ratio in ratios), flush=True)


def modules():
    """{name: what makes the module}."""
    sys.path.insert(0, str(ROOT / "tests" / "doors"))
    try:
        from torch_networks import NETWORKS as MODULES
    except ImportError as error:
        raise SystemExit(f"{error}: python -m pip install '.[torch]'") from None
    return MODULES


def race(network, threads, options):
    """{way: [median seconds of a call in each turn]}."""
    command = [sys.executable, "-m", "benchmarks.compiled", "--networks", network, "--threads", str(threads)]
    for name in ("size", "batch", "seconds"):
        command += [f"--{name}", str(getattr(options, name))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    running = {way: subprocess.Popen([*command, "--way", way], **pipes) for way in WAYS}
    times = {way: [] for way in WAYS}
    try:
        for process in running.values():  # compiled one after the other
            ask(process)
        for _ in range(options.rounds):
            for way, process in running.items():
                times[way].append(ask(process))
    finally:
        for process in running.values():
            process.communicate()
    return times


def ask(process):
    """What a process answers."""
    print(file=process.stdin, flush=True)
    return json.loads(process.stdout.readline())


def turns(options):
    """Prepare a way, then run a turn for each line that is read."""
    import torch
    from torch_networks import seeded

    (network,), (threads,) = options.networks, options.threads
    torch.set_num_threads(threads)
    module = seeded(modules()[network]()).to(memory_format=torch.channels_last)
    x = torch.randn(options.batch, 3, options.size, options.size).to(memory_format=torch.channels_last)
    with torch.inference_mode(options.way == "eager"), torch.no_grad():
        run = made(module, options.way)
        sys.stdin.readline()
        wanted, result = module(x), run(x)
        error = (result - wanted).abs().max() / wanted.abs().max()
        if not error < 1e-4:
            raise ValueError(f"{options.way} is off by {error:.1e} of the largest value")
        print("0", flush=True)
        for _ in sys.stdin:
            print(json.dumps(turn(lambda: run(x), options.seconds)), flush=True)


def made(module, way):
    """The module as this way runs it."""
    import torch
    import torch._inductor.config

    torch._inductor.config.freezing = True
    return module if way == "eager" else torch.compile(module, backend=way, fullgraph=True, dynamic=False)


def turn(run, seconds):
    """The median time of a call."""
    run()
    times, end = [], perf_counter() + seconds
    while len(times) < 3 or perf_counter() < end:
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return median(times)


if __name__ == "__main__":
    main()
