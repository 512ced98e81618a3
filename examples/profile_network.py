"""Where a network's time goes, step by step: `python examples/profile_network.py resnet 50`.

The weights are random ones, or those of a .npz or .safetensors file.
"""

import argparse

import numpy as np

from fastconv import networks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=("alexnet", "googlenet", "nin", "resnet", "squeezenet"))
    parser.add_argument("variant", nargs="?", help="such as 1.1 of squeezenet, 18 of resnet, cifar10 of nin")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--weights", metavar="FILE")
    options = parser.parse_args()
    variant = int(options.variant) if (options.variant or "").isdigit() else options.variant
    try:
        net = getattr(networks, options.network)(*filter(None, [variant]))
        plan = net.plan(options.weights, num_threads=options.threads)
    except (TypeError, ValueError, OSError) as error:
        parser.error(str(error))
    x = np.random.default_rng(0).standard_normal((options.batch, *net.input_shape), np.float32)
    print(f"{net.name}: {plan.cost(x.shape).macs:,} MACs, {net.cost().params:,} parameters")
    print(plan.profile(x))


if __name__ == "__main__":
    main()
