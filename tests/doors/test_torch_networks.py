"""Published networks through `torch.compile` and `convert`, against eager PyTorch in float64 and float32."""

import copy

import pytest
import torch
from torch_networks import NETWORKS, seeded

import fastconv.torch


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
        last = x.to(memory_format=torch.channels_last)
        converted = fastconv.torch.convert(network, last)
        results |= {"channels last": converted(last), "one image": converted(last[:1])}
    for told, result in results.items():
        like = wanted[: len(result)]
        error = (result - like).abs().max()
        assert error <= max(1e-5 * like.abs().max(), 4 * eager), told
        assert result.stride() == (1000, 1)
