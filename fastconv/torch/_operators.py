"""aten's operators in ONNX's words, for which fastconv has translations: `written`.

Each function takes an operator's arguments, of which tensors are what is known of them, and gives a `Written`, or None
where ONNX has no word for them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from fastconv._checks.types import Shape
from fastconv.torch import _layers, _shapes, _words
from fastconv.torch._circular_pads import CIRCULAR_PAD
from fastconv.torch._response_norms import LOCAL_RESPONSE_NORM
from fastconv.torch._words import Written, function, two_maps

_aten = torch.ops.aten


def written(target: Any, args: Sequence[Any], kwargs: dict[str, Any], shape: Shape | None) -> Written | None:
    """An operator's call, whose result has this shape (None of several results), as a node of ONNX."""
    write = OPERATORS.get(target)
    if write is None:
        return None
    return write(*args, **kwargs, **({"shape": shape} if write in _SHAPED else {}))


PARAMETERS = {_aten.convolution.default: (1, 2), _aten._native_batch_norm_legit_no_training.default: (1, 2, 3, 4)}

# Those that take the shape of the result.
_SHAPED = (
    *(_shapes.reshape, _shapes.expand, _shapes.selected),
    *(_layers.nearest_or_by_factors, _layers.linear_or_by_factors),
)
OPERATORS: dict[Any, Callable[..., Written | None]] = {
    _aten.convolution.default: _layers.convolution,
    _aten.addmm.default: _layers.addmm,
    _aten.mm.default: two_maps("MatMul"),
    _aten.bmm.default: _layers.bmm,
    _aten._native_batch_norm_legit_no_training.default: _layers.batch_norm,
    _aten._native_batch_norm_legit.no_stats: _layers.batch_norm_of_one,
    _aten.instance_norm.default: _layers.instance_norm,
    _aten.group_norm.default: _layers.group_norm,
    _aten.native_group_norm.default: _layers.native_group_norm,
    _aten.native_layer_norm.default: _layers.layer_norm,
    LOCAL_RESPONSE_NORM: _layers.local_response_norm,
    _aten.max_pool2d_with_indices.default: _layers.max_pool,
    _aten.avg_pool2d.default: _layers.avg_pool,
    _aten._adaptive_avg_pool2d.default: _layers.adaptive_pool("AveragePool"),
    _aten.adaptive_max_pool2d.default: _layers.adaptive_pool("MaxPool"),
    _aten.mean.dim: _shapes.reduced("ReduceMean"),
    _aten.sum.dim_IntList: _shapes.reduced("ReduceSum"),
    _aten.amax.default: _shapes.reduced("ReduceMax"),
    _aten.max.dim: _shapes.one_axis("ReduceMax"),
    _aten.var.correction: _shapes.variance,
    _aten.std.correction: _shapes.deviation,
    _aten.linalg_vector_norm.default: _shapes.norm,
    _aten.relu.default: function("Relu"),
    _aten.hardtanh.default: _words.hardtanh,
    _aten.clamp.default: _words.clip,
    _aten.clamp_min.default: _words.clip,
    _aten.clamp_max.default: _words.clip_above,
    _aten.sigmoid.default: function("Sigmoid"),
    _aten.tanh.default: function("Tanh"),
    _aten.silu.default: _words.sigmoid_times_x,
    _aten.hardsigmoid.default: function("HardSigmoid", alpha=1 / 6, beta=0.5),
    _aten.hardswish.default: function("HardSwish"),
    _aten.leaky_relu.default: _words.leaky_relu,
    _aten._prelu_kernel.default: _words.prelu,
    _aten.elu.default: _words.elu,
    _aten.celu.default: function("Celu", "alpha", alpha=1.0),
    _aten.gelu.default: function("Gelu", approximate="none"),
    _aten.glu.default: _shapes.gated,
    _aten.mish.default: function("Mish"),
    _aten.softplus.default: _words.softplus,
    _aten.neg.default: function("Neg"),
    _aten.abs.default: function("Abs"),
    _aten.exp.default: function("Exp"),
    _aten.log.default: function("Log"),
    _aten.erf.default: function("Erf"),
    _aten.sqrt.default: function("Sqrt"),
    _aten.rsqrt.default: _words.reciprocal_root,
    _aten.reciprocal.default: function("Reciprocal"),
    _aten.maximum.default: two_maps("Max"),
    _aten.minimum.default: two_maps("Min"),
    _aten.add.Tensor: _words.scaled_sum("Add"),
    _aten.sub.Tensor: _words.scaled_sum("Sub"),
    _aten.addcmul.default: _words.sum_with_product,
    _aten.lerp.Scalar: _words.between,
    _aten.rsub.Scalar: _words.reversed_difference,
    _aten.mul.Tensor: two_maps("Mul"),
    _aten.mul.Scalar: two_maps("Mul"),
    _aten.div.Tensor: two_maps("Div"),
    _aten.pow.Tensor_Scalar: _words.power,
    _aten._softmax.default: _shapes.softmax("Softmax"),
    _aten._log_softmax.default: _shapes.softmax("LogSoftmax"),
    _aten.cat.default: _shapes.concat,
    _aten.stack.default: _shapes.stack,
    _aten.split.Tensor: _shapes.split,
    _aten.split_with_sizes.default: _shapes.split,
    _aten.unbind.int: _shapes.unbound,
    _aten.slice.Tensor: _shapes.sliced,
    _aten.select.int: _shapes.selected,
    _aten.index_select.default: _shapes.picked,
    _aten.index.Tensor: _shapes.indexed,
    _aten.flip.default: _shapes.flipped,
    _aten.roll.default: _shapes.rolled,
    _aten.upsample_nearest1d.default: _layers.nearest,
    _aten.upsample_nearest2d.default: _layers.nearest,
    _aten.upsample_linear1d.default: _layers.linear,
    _aten.upsample_bilinear2d.default: _layers.linear,
    **dict.fromkeys((_aten.upsample_nearest1d.vec, _aten.upsample_nearest2d.vec), _layers.nearest_or_by_factors),
    **dict.fromkeys((_aten.upsample_linear1d.vec, _aten.upsample_bilinear2d.vec), _layers.linear_or_by_factors),
    _aten.pixel_shuffle.default: _shapes.pixels_of_channels,
    _aten.pixel_unshuffle.default: _shapes.channels_of_pixels,
    _aten.channel_shuffle.default: _shapes.shuffled,
    _aten.native_channel_shuffle.default: _shapes.shuffled,
    _aten.constant_pad_nd.default: _shapes.pad,
    **dict.fromkeys((_aten.reflection_pad1d.default, _aten.reflection_pad2d.default), _shapes.padded("reflect")),
    **dict.fromkeys((_aten.replication_pad1d.default, _aten.replication_pad2d.default), _shapes.padded("edge")),
    CIRCULAR_PAD: _shapes.padded("wrap"),
    _aten.view.default: _shapes.reshape,
    _aten._unsafe_view.default: _shapes.reshape,
    _aten.squeeze.dim: _shapes.reshape,
    _aten.squeeze.dims: _shapes.reshape,
    _aten.unsqueeze.default: _shapes.reshape,
    _aten.permute.default: _shapes.permute,
    _aten.transpose.int: _shapes.transpose,
    _aten.expand.default: _shapes.expand,
    _aten.as_strided.default: _shapes.identity,  # where the binding finds that it is
    **dict.fromkeys((_aten.clone.default, _aten.alias.default, _aten.detach.default), _shapes.identity),
}
