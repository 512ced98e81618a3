"""What PyTorch has as one operator for the CPU, in operators that fastconv has."""

from typing import Any

import torch
from torch.nn import functional

_aten = torch.ops.aten


def _encoder_layer(
    x: torch.Tensor,
    channels: int,
    heads: int,
    qkv_weight: torch.Tensor,
    qkv_bias: torch.Tensor,
    out_weight: torch.Tensor,
    out_bias: torch.Tensor,
    has_gelu: bool,
    norms_first: bool,
    epsilon: float,
    *others: Any,
) -> Any:
    """A layer of a transformer's encoder, which `torch.nn.TransformerEncoderLayer` computes at once for inference."""
    weight, bias, weight_2, bias_2, up_weight, up_bias, down_weight, down_bias, *mask = others
    if any(one is not None for one in mask):
        return NotImplemented

    def attend(x: torch.Tensor) -> torch.Tensor:
        apart = functional.linear(x, qkv_weight, qkv_bias).view(*x.shape[:2], 3, heads, channels // heads)
        q, k, v = apart.permute(2, 0, 3, 1, 4).unbind(0)
        y = functional.scaled_dot_product_attention(q, k, v)
        return functional.linear(y.transpose(1, 2).reshape(x.shape), out_weight, out_bias)

    def feed(x: torch.Tensor) -> torch.Tensor:
        y = functional.linear(x, up_weight, up_bias)
        return functional.linear(functional.gelu(y) if has_gelu else functional.relu(y), down_weight, down_bias)

    x = x.contiguous()  # as the result of the operator is
    norms = [(weight, bias), (weight_2, bias_2)]
    for part, (scale, shift) in zip((attend, feed), norms, strict=True):
        if norms_first:
            x = x + part(functional.layer_norm(x, (channels,), scale, shift, epsilon))
        else:
            x = functional.layer_norm(x + part(x), (channels,), scale, shift, epsilon)
    return x


TAKEN_APART = {_aten._transformer_encoder_layer_fwd.default: _encoder_layer}
