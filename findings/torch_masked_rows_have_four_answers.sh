#!/usr/bin/env bash
# Expected: attention in which a row's mask leaves no key has one answer in PyTorch, and a model exported from it the
#   same; whether the weights are asked for beside the result changes nothing.
# What happens: scaled_dot_product_attention gives 0 for such a row, and so does nn.MultiheadAttention with
#   need_weights=False; with need_weights=True, the default, it gives NaN. torch.onnx.export, at its default opset of
#   20, writes a boolean mask as -3.4e38, so that such a row is the mean of all values, the masked ones too, and a mask
#   of -inf gives NaN; as opset 23's Attention both are 0. By way of OpenVINO both are NaN.
# Why it matters: padding in batches makes such rows (an empty sentence, a window of a Swin network in the margin), and
#   they reach others through a pooling or the next layer. Finite means of masked values are seen by no check. Clear
#   these rows with torch.where, or let each row see itself.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 onnx==1.23.2 \
    onnxscript==0.7.2 onnxruntime==1.32.0 openvino==2026.4.1 packaging==26.4
CI=true "$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { tail -5 "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import onnxruntime as ort
import openvino
import torch
from torch import nn
from torch.nn import functional as F

print(*(f"{name} {version(name)}" for name in ("torch", "onnxscript", "onnxruntime", "openvino")))


class Attention(nn.Module):
    def forward(self, queries, keys, mask):
        return F.scaled_dot_product_attention(queries, keys, keys, attn_mask=mask)


def exported(inputs, opset):
    model = torch.onnx.export(Attention().eval(), inputs, opset_version=opset, verbose=False).model_proto
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = zip((value.name for value in session.get_inputs()), (x.numpy() for x in inputs))
    return session.run(None, dict(feeds))[0][0, 0]


def converted(inputs):
    model = openvino.convert_model(torch.export.export(Attention().eval(), inputs))
    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled([x.numpy() for x in inputs])[0][0, 0]


queries, keys = torch.arange(4.0).reshape(1, 1, 2, 2), torch.tensor([[[[1.0, 2], [3, 4], [8, 9]]]])
seen = torch.tensor([[False, False, False], [True, True, False]])
zero, mean, nan = [0, 0], [4, 5], [np.nan, np.nan]
for text, mask, plain in (("boolean", seen, mean), ("-inf", torch.zeros(2, 3).masked_fill(~seen, -torch.inf), nan)):
    inputs = queries, keys, mask
    results = {
        "torch": (Attention()(*inputs)[0, 0].numpy(), zero),
        "exported": (exported(inputs, None), plain),
        "exported as opset 23": (exported(inputs, 23), zero),
        "OpenVINO": (converted(inputs), nan),
    }
    print(f"{text} mask, the row without keys:", {name: result[0].tolist() for name, (result, _) in results.items()})
    for result, row in results.values():
        assert np.allclose(result[0], row, equal_nan=True)
        assert np.allclose(result[1], results["torch"][0][1], atol=1e-4)

torch.manual_seed(0)
layer, x, padding = nn.MultiheadAttention(4, 1, batch_first=True).eval(), torch.ones(1, 3, 4), torch.ones(1, 3).bool()
with torch.no_grad():
    for weights in (True, False):
        result = layer(x, x, x, key_padding_mask=padding, need_weights=weights)[0]
        print(f"MultiheadAttention of padding alone, need_weights={weights}: {result[0, 0].tolist()}")
        assert result.isnan().all() if weights else (result == 0).all()
EOF
