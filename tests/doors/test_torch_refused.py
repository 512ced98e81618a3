"""What `fastconv.torch.convert` and what it made refuse, and why."""

import pytest
import torch
from torch import nn
from torch_compiling import close, image, small

import fastconv.torch

pytestmark = [pytest.mark.usefixtures("fresh_torch"), pytest.mark.filterwarnings("ignore::FutureWarning")]


class Branch(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(1))

    def forward(self, x):
        self.count += 1
        return x + self.count


class Printing(nn.Module):
    def forward(self, x):
        torch.ops.aten._print("an effect")
        return x + 1


@pytest.mark.parametrize(
    ("module", "error", "told"),
    [
        (lambda x: x, TypeError, "module must be a torch.nn.Module, got function"),
        (small().train(), ValueError, r"module must be in eval mode, for inference: call module.eval\(\)"),
        (Branch().eval(), ValueError, "torch.export cannot trace the module: "),
        (Counter().eval(), ValueError, "the module changes its buffers or its arguments in a call.*: count"),
        (Printing().eval(), ValueError, "the module has an effect beside its results in a call.*: aten._print"),
        (nn.Sequential(small(), nn.ReLU(inplace=True)).eval(), None, ""),
        (nn.ReLU(inplace=True).eval(), ValueError, "the module changes its buffers or its arguments in a call"),
    ],
)
def test_what_is_refused(module, error, told):
    if error is None:
        return close(fastconv.torch.convert(module, x := image())(x), module(x))
    with pytest.raises(error, match=told):
        fastconv.torch.convert(module, image())


def test_an_exported_module_has_no_eval_mode():
    """Its own eval() raises an error."""
    exported = torch.export.export(small(), (image(),)).module()
    with pytest.raises(ValueError, match=r"^module must be in eval mode, for inference: convert what it was "):
        fastconv.torch.convert(exported, image())


@pytest.mark.parametrize("example", [image().numpy(), (image(), image().numpy())], ids=["array", "tuple"])
def test_an_array_is_no_example(example):
    with pytest.raises(TypeError, match=r"^example must be a tensor or a tuple of tensors, got \(?(Tensor, )?ndarray"):
        fastconv.torch.convert(small(), example)


def test_an_array_is_no_argument():
    converted = fastconv.torch.convert(small(), image())
    with pytest.raises(TypeError, match=r"^the arguments must be tensors, got ndarray"):
        converted(image().numpy())


def test_options_are_checked():
    with pytest.raises(ValueError, match="num_threads"):
        fastconv.torch.convert(small(), image(), num_threads=0)
    with pytest.raises(ValueError, match="accuracy"):
        fastconv.torch.convert(small(), image(), accuracy="any")
