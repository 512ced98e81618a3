"""Where the time of your ONNX model goes, and what its 1×1 convolutions save: `python examples/profile_onnx.py MODEL`.

It needs the extra `onnx`. Sizes that the model leaves open are 1 for the first axis and `--size` for the others.
"""

import argparse

import numpy as np

import fastconv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    try:
        model = fastconv.onnx.load(options.model, num_threads=options.threads)
    except (ImportError, OSError, ValueError) as error:
        parser.error(str(error))
    rng = np.random.default_rng(0)
    inputs = {}
    for one in model.graph.inputs:
        if one.dtype is None or one.shape is None:
            parser.error(f"the model does not say how many axes {one.name} has: fastconv profile --shape takes a shape")
        sizes = [1 if i == 0 else options.size for i, _ in enumerate(one.shape)]
        shape = [size if isinstance(size, int) else free for size, free in zip(one.shape, sizes, strict=True)]
        inputs[one.name] = rng.standard_normal(shape).astype(one.dtype)
    try:
        cost = model.cost({name: x.shape for name, x in inputs.items()})
        profile = model.profile(inputs)
    except ValueError as error:
        parser.error(str(error))
    print(f"{len(model.graph.nodes)} nodes, {cost.macs:,} MACs, {cost.params:,} parameters")
    print(profile)
    if profile.pointwise:
        saved = sum(one.milliseconds_without - one.milliseconds for one in profile.pointwise)
        print(
            f"The 1×1s beside larger convolutions save about {saved:.3g} ms, counting each as if it were the only one."
        )


if __name__ == "__main__":
    main()
