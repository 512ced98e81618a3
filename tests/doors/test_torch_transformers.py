"""Layers of PyTorch's that have an attention, and the products around them, by both ways."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch_compiling import Ran, close, many, seeded, ways

import fastconv.torch


class Of(nn.Module):
    """A part that reads the pixels of an image as a sequence."""

    def __init__(self, part, call):
        super().__init__()
        self.patches, self.part, self.call = nn.Conv2d(3, 64, 4, 4), part, call

    def forward(self, x):
        return self.call(self.part, self.patches(x).flatten(2).transpose(1, 2))


def layer(**options):
    return nn.TransformerEncoderLayer(64, 4, 128, **options)


PARTS = {
    "an encoder's layer": (layer(batch_first=True), lambda part, x: part(x)),
    "one with norms first": (layer(batch_first=True, norm_first=True, activation="gelu"), lambda part, x: part(x)),
    "one of sequences first": (layer(), lambda part, x: part(x)),
    "an encoder": (nn.TransformerEncoder(layer(batch_first=True), 2, enable_nested_tensor=False), lambda p, x: p(x)),
    "one with a mask": (layer(batch_first=True), lambda p, x: p(x, src_key_padding_mask=x[..., 0] > 1e9)),
    "a decoder's layer": (nn.TransformerDecoderLayer(64, 4, 128, batch_first=True), lambda part, x: part(x, x[:, :9])),
    "many heads": (nn.MultiheadAttention(64, 4, batch_first=True), lambda p, x: p(x, x, x, need_weights=False)[0]),
    "many heads and weights": (nn.MultiheadAttention(64, 4), lambda part, x: part(x, x, x)),
}


@pytest.mark.parametrize("name", PARTS)
def test_layers_of_pytorch(name):
    """Those that eager mode has as one operator too, whose strides convert does not take over."""
    net, x = Of(*PARTS[name]).eval(), seeded(2, 3, 32, 32)
    with torch.no_grad():
        wanted = net(x)
        compiled, converted = ways(net, x)
        counted = Ran()
        close(compiled(x), wanted)
        assert counted.plans >= 1
        assert counted.left == 0
        for y, like in zip(many(converted(x)), many(wanted), strict=True):
            torch.testing.assert_close(y, like, rtol=1e-4, atol=1e-5)


def test_an_encoders_layer_is_taken_apart():
    net, x = Of(*PARTS["an encoder's layer"]).eval(), seeded(2, 3, 32, 32)
    with torch.no_grad():
        compiled, _ = ways(net, x)
        wanted, counted = net(x), Ran()
        close(compiled(x), wanted)
    assert counted.plans == 3
    assert counted.operators <= 5


def test_little_work_without_convolutions_is_pytorchs():
    net, x = nn.Sequential(nn.Linear(16, 16), nn.GELU(), nn.Linear(16, 4)).eval(), seeded(2, 16)
    with torch.no_grad():
        counted, converted = Ran(), fastconv.torch.convert(net, x)
        close(converted(x), net(x))
    assert counted.plans == 0


def test_products_with_one_matrix_for_all():
    """As tracers write a layer whose input does not lie in rows."""

    class Products(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.matrix = nn.Conv2d(3, 64, 4, 4), nn.Parameter(seeded(64, 96))

        def forward(self, x):
            y = self.conv(x).flatten(2).transpose(1, 2)
            return functional.relu(torch.bmm(y, self.matrix.expand(len(x), -1, -1)))

    net, x = Products().eval(), seeded(2, 3, 32, 32)
    with torch.no_grad():
        for way in ways(net, x):
            counted = Ran()
            close(way(x), net(x))
            assert counted.operators == 1  # the pixels of an image as one axis
