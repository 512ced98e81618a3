"""Published networks through `torch.compile` and `convert`, against eager PyTorch in float64 and float32."""

import copy

import pytest
import torch
from torch_networks import NETWORKS, seeded

import fastconv.torch

CONVERTED = ("resnet18", "shufflenet_v2")  # the others are left out for the time that tracing takes


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network(name):
    network = seeded(NETWORKS[name]())
    torch._dynamo.reset()
    x = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        wanted = copy.deepcopy(network).double()(x.double())
        eager = (network(x) - wanted).abs().max()
        before = fastconv.torch.counts()
        results = {"contiguous": torch.compile(network, backend="fastconv", fullgraph=True)(x)}
        ran = fastconv.torch.counts()
        assert ran.plans > before.plans
        assert ran.left == before.left
        if name in CONVERTED:
            last = x.to(memory_format=torch.channels_last)
            results["channels last"] = fastconv.torch.convert(network, last)(last)
    for told, result in results.items():
        error = (result - wanted).abs().max()
        assert error <= max(1e-5 * wanted.abs().max(), 4 * eager), told
        assert result.stride() == (1000, 1)
