#!/usr/bin/env bash
# Expected: onnxconverter_common's convert_float_to_float16 rounds each weight to float16, whose numbers reach 65504 and
#   down to 6e-8; zero stays zero, what is too large becomes inf or the largest number.
# What happens: weights beyond 10000 become 10000, and those between -1e-7 and 1e-7 become ±1e-7 unless they are 0 (so
#   1e-30 grows by 23 powers of ten), by the defaults max_finite_val=1e4 and min_positive_val=1e-7, with a warning.
# Why it matters: batch norms that were trained to near 0 and pruned networks whose zeros are tiny numbers change, and a
#   large scale is cut to less than a sixth of what the format holds. A comparison of the files shows no other sign.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxconverter-common==1.16.0
"$dir/venv/bin/python" - <<'EOF'
import warnings
from importlib.metadata import version

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnxconverter_common import float16

print("onnxconverter-common", version("onnxconverter-common"))
weight = np.array([20000, 60000, 1e-30, -1e-30, 0, 3], np.float32)
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [6]) for name in "xy")
graph = helper.make_graph(
    [helper.make_node("Mul", ["x", "weight"], ["y"])], "g", [x], [y], [numpy_helper.from_array(weight, "weight")]
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    converted = numpy_helper.to_array(float16.convert_float_to_float16(model).graph.initializer[0])
print("given    ", weight)
print("rounded  ", weight.astype(np.float16))
print("converted", converted, "with", len(told), "warnings")
assert converted.dtype == np.float16
assert converted[:2].tolist() == [10000, 10000] and weight[:2].astype(np.float16).tolist() == [20000, 60000]
assert np.allclose(converted[2:4], [1e-7, -1e-7], rtol=0.2) and converted[4] == 0 and converted[5] == 3
EOF
