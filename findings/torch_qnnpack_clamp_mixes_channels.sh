#!/usr/bin/env bash
# Expected: relu6, hardtanh and clamp of a quantised tensor do not depend on the memory format: x clipped to its bounds,
#   value by value, for channels_last too.
# What happens: with the engine "qnnpack" they clip the memory of a channels_last tensor and return it as a contiguous
#   one: the first channel of the result holds all channels of the first pixels. Bounds that clip nothing do so as well.
#   relu, sigmoid and leaky_relu are right, and all are right for the engine "x86".
# Why it matters: the quantised convolutions return channels_last, and MobileNets have relu6 behind each: a network that
#   is converted for a phone's engine computes noise from the second layer on, on the computer where it is checked too.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" -W ignore - <<'EOF'
import torch
import torch.nn.functional as F

print("torch", torch.__version__)
x = torch.arange(12.0).reshape(1, 3, 2, 2) / 2
formats = {"contiguous": x, "channels_last": x.contiguous(memory_format=torch.channels_last)}
functions = {
    "relu6": F.relu6,
    "hardtanh": lambda t: F.hardtanh(t, -1, 20),
    "clamp": lambda t: torch.clamp(t, 0, 20),
    "relu": F.relu,
    "leaky_relu": lambda t: F.leaky_relu(t, 0.1),
}
for engine in ("x86", "qnnpack"):
    torch.backends.quantized.engine = engine
    for name, function in functions.items():
        for order, image in formats.items():
            got = function(torch.quantize_per_tensor(image, 0.1, 10, torch.quint8)).dequantize()
            print(f"{engine}, {name}, {order}: {got.flatten().numpy().round(1).tolist()}")
            memory = x.permute(0, 2, 3, 1).reshape(x.shape)  # the values in the order of channels_last
            mixed = engine == "qnnpack" and order == "channels_last" and name in ("relu6", "hardtanh", "clamp")
            assert torch.allclose(got, memory if mixed else x, atol=1e-6)

# a 1×1 convolution with weights of one, quantised, and relu6 behind it
torch.backends.quantized.engine = "qnnpack"
layer = torch.ao.nn.quantized.Conv2d(3, 3, 1)
weight = torch.eye(3).reshape(3, 3, 1, 1)
layer.set_weight_bias(torch.quantize_per_tensor(weight, 0.01, 0, torch.qint8), torch.zeros(3))
layer.scale, layer.zero_point = 0.1, 10
result = layer(torch.quantize_per_tensor(x, 0.1, 10, torch.quint8))
assert torch.allclose(result.dequantize(), x, atol=0.1)
got = F.relu6(result).dequantize()
print("relu6 behind a convolution:", got.flatten().numpy().round(1).tolist())
assert not torch.allclose(got, x, atol=1)
EOF
