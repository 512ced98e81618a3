"""Your PyTorch module on fastconv, and what that gains: `python examples/compile_torch.py`.

It needs the extra `torch`. Put your own module in the place of `network`.
"""

import argparse
from time import perf_counter

try:
    import torch
    from torch import nn
except ImportError as error:
    raise SystemExit(f"{error}: python -m pip install '.[torch]'") from None

import fastconv.torch


class Bottleneck(nn.Module):
    """relu(x + 1×1(relu(3×3(relu(1×1(x)))))): ResNet's block, whose 1×1s save work around the 3×3."""

    def __init__(self, channels: int, narrow: int) -> None:
        super().__init__()
        self.reduce, self.restore = nn.Conv2d(channels, narrow, 1), nn.Conv2d(narrow, channels, 1)
        self.conv, self.norm = nn.Conv2d(narrow, narrow, 3, padding=1, bias=False), nn.BatchNorm2d(narrow)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.conv(self.reduce(x).relu())).relu()
        return (x + self.restore(y)).relu()


def network(classes: int) -> nn.Module:
    stem = nn.Conv2d(3, 256, 4, stride=4), nn.ReLU()
    blocks = (Bottleneck(256, 64) for _ in range(4))
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, classes))


def milliseconds(run: nn.Module, x: torch.Tensor, seconds: float) -> float:
    """The fastest call in this time."""
    fastest, end = float("inf"), perf_counter() + seconds
    while perf_counter() < end or fastest == float("inf"):
        start = perf_counter()
        run(x)
        fastest = min(fastest, perf_counter() - start)
    return 1e3 * fastest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    module = network(classes=10).eval().to(memory_format=torch.channels_last)
    x = torch.randn(1, 3, options.size, options.size).to(memory_format=torch.channels_last)
    with torch.no_grad():  # where a gradient may be needed, PyTorch runs the module
        ways = {
            "eager": module,
            "compiled": torch.compile(module, backend="fastconv"),
            "converted": fastconv.torch.convert(module, x),  # without dynamo
        }
        for name, run in ways.items():
            error = (run(x) - module(x)).abs().max().item()
            print(f"{name:10} {milliseconds(run, x, options.seconds):8.3f} ms, differs from eager by {error:.0e}")
    print(fastconv.torch.counts())


if __name__ == "__main__":
    main()
