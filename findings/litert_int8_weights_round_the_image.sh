#!/usr/bin/env bash
# Expected: in a .tflite file whose input, output and bias are float32 and whose convolution weights are int8 with
#   scales, the weights are the only thing rounded: multiplied by their scales they give the network, for any engine.
# What happens: LiteRT rounds the *image* to 8 bits as well, at every call, with one range for the whole image. The
#   result is 1-4 % of rms away from that of the same weights as float32; one pixel of 1000 puts errors of several
#   times the rms on outputs that it cannot reach.
# Why it matters: an importer that dequantises is right and still fails a comparison with LiteRT at 1e-4; and fill
#   values or saturated pixels, harmless in a convolution, destroy such a network's answer everywhere.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 ai-edge-litert==2.3.0 flatbuffers==25.12.19
"$dir/venv/bin/pip" freeze | grep -E "numpy|litert"
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter


def lite(x, weight, scale=None):
    """A 3x3 convolution in LiteRT; x NHWC, weight OHWI."""
    arrays = weight[:0], weight, np.zeros(len(weight), np.float32)
    buffers = [schema.BufferT(data=list(array.tobytes())) for array in arrays]
    shapes, tensors = [x.shape, weight.shape, (len(weight),), x.shape[:3] + (len(weight),)], []
    for name, shape, buffer in zip("xwby", shapes, (0, 1, 2, 0)):
        kind, rounding = schema.TensorType.FLOAT32, None
        if name == "w" and weight.dtype == np.int8:
            kind = schema.TensorType.INT8
            rounding = schema.QuantizationParametersT(scale=[float(scale)], zeroPoint=[0])
        tensors.append(schema.TensorT(list(shape), kind, buffer, name, rounding))
    kind, options = schema.BuiltinOptions.Conv2DOptions, schema.Conv2DOptionsT(strideH=1, strideW=1)  # SAME
    operator = schema.OperatorT(inputs=[0, 1, 2], outputs=[3], builtinOptionsType=kind, builtinOptions=options)
    graph = schema.SubGraphT(tensors=tensors, inputs=[0], outputs=[3], operators=[operator])
    code = schema.OperatorCodeT(builtinCode=3, deprecatedBuiltinCode=3, version=5)  # CONV_2D
    model = schema.ModelT(version=3, operatorCodes=[code], subgraphs=[graph], buffers=buffers)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    interpreter = Interpreter(model_content=bytes(builder.Output()), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, x)
    interpreter.invoke()
    return interpreter.get_tensor(3)


rng = np.random.default_rng(0)
x, weight = rng.standard_normal((1, 16, 16, 16), np.float32), rng.standard_normal((8, 3, 3, 16), np.float32)
scale = abs(weight).max() / 127
rounded = np.round(weight / scale).astype(np.int8)
for name, pixel in (("image", x[0, 0, 0, 0]), ("image with one 1000 in its corner", 1000)):
    x[0, 0, 0, 0] = pixel
    right = lite(x, (rounded * scale).astype(np.float32))[0, 4:, 4:]  # far from the corner
    error = abs(lite(x, rounded, scale)[0, 4:, 4:] - right).max() / right.std()
    print(f"{name}: far from the corner int8 and float32 forms of the same weights differ by {error:.2g} of the rms")
    assert error > (0.005 if pixel < 100 else 0.5)
EOF
