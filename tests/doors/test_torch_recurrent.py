"""Recurrent layers that `convert` has as one operator, against eager."""

import pytest
import torch
from torch import nn
from torch_compiling import Ran, close

import fastconv.torch

pytestmark = [pytest.mark.usefixtures("fresh_torch"), pytest.mark.filterwarnings("ignore")]


class Reader(nn.Module):
    """A convolution, whose columns a recurrent layer reads."""

    def __init__(self, layer):
        super().__init__()
        self.conv, self.layer = nn.Conv1d(3, 6, 3, padding=1), layer

    def forward(self, x, *states):
        y = self.conv(x)
        y, last = self.layer(y.mT if self.layer.batch_first else y.permute(2, 0, 1), *states)
        return y, *(last if isinstance(last, tuple) else (last,))


LAYERS = {
    "LSTM": lambda: nn.LSTM(6, 5),
    "GRU": lambda: nn.GRU(6, 5),
    "three LSTMs in both directions": lambda: nn.LSTM(6, 5, 3, bidirectional=True, dropout=0.5),
    "two GRUs in both directions, images first": lambda: nn.GRU(6, 5, 2, bidirectional=True, batch_first=True),
    "LSTM without biases": lambda: nn.LSTM(6, 5, 2, bias=False, batch_first=True),
    "GRU without biases": lambda: nn.GRU(6, 5, bias=False),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer(name, dtype):
    net, ran = Reader(LAYERS[name]()).to(dtype).eval(), Ran()
    x = torch.randn(2, 3, 7, dtype=dtype)
    run = fastconv.torch.convert(net, x)
    close(run(x), net(x))
    assert (ran.left, ran.plans) == (0, 2)
    close(run(y := torch.randn(1, 3, 4, dtype=dtype)), net(y))
    net.layer.weight_hh_l0.mul_(-0.5)
    close(run(x), net(x))


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_first_states(kind):
    net, x, state = Reader(kind(6, 5, 2)).eval(), torch.randn(2, 3, 7), torch.randn(2, 2, 5)
    states = ((state, state.tanh()),) if kind is nn.LSTM else (state,)
    run, before = fastconv.torch.convert(net, (x, *states)), state.clone()
    close(run(x, *states), net(x, *states))
    torch.testing.assert_close(state, before, rtol=0, atol=0)


def test_what_stays_pytorchs():
    for layer in nn.LSTM(6, 5, proj_size=2), nn.RNN(6, 5), nn.RNN(6, 5, nonlinearity="relu", bidirectional=True):
        net, x, ran = Reader(layer).eval(), torch.randn(2, 3, 7), Ran()
        close(fastconv.torch.convert(net, x)(x), net(x))
        assert (ran.left, ran.plans) == (0, 1)


def test_the_number_of_threads_does_not_count():
    net, x = Reader(nn.LSTM(6, 5, 2, bidirectional=True)).eval(), torch.randn(3, 3, 9)
    one, many = (fastconv.torch.convert(net, x, num_threads=count)(x) for count in (1, 3))
    assert all(torch.equal(y, z) for y, z in zip(one, many, strict=True))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_other_dtypes_are_pytorchs(dtype):
    net, x = Reader(LAYERS["LSTM"]()).to(dtype).eval(), torch.randn(2, 3, 7, dtype=dtype)
    with torch.no_grad():
        torch.testing.assert_close(fastconv.torch.convert(net, x)(x), net(x))
