#!/usr/bin/env bash
# Expected: numbers between the braces of a constant in ONNX's text form are the constant's numbers, as they are for
#   float, double, int8 and int32: float16[2] w = {1, 2} is 1 and 2, int4[4] w = {1, 2, 3, -1} is what it says.
# What happens: onnx.parser takes whole numbers of float16, bfloat16 and float8 for their bits: float16 {1, 2} is 6e-8
#   and 1.2e-7, and 15360 is 1; {1.5, 2.5} is refused. Of int4 and uint4 each number is a byte that holds two, and the
#   last half of the list is dropped: {1, 2, 3, -1} is 1, 0, 2, 0. Numbers that do not fit an int8 or uint8 are cut: 300
#   is 44. The checker passes it all.
# Why it matters: the text form is what small test models are written in, and the types that it misreads are those that
#   quantised networks have. A weight of 6e-8 in place of 1 looks like a wrong kernel. Add such constants with
#   numpy_helper.from_array.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2
"$dir/venv/bin/python" - <<'EOF'
from importlib.metadata import version

import numpy as np
from onnx import checker, numpy_helper, parser

print("onnx", version("onnx"))


def read(dtype, numbers):
    constant = f"{dtype}[{len(numbers)}] w = {{{', '.join(map(str, numbers))}}}"
    graph = f"g ({dtype}[n] x) => ({dtype}[m] y) <{constant}> {{y = Concat<axis=0>(x, w)}}"
    model = parser.parse_model(f'<ir_version: 10, opset_import: ["": 21]> {graph}')
    checker.check_model(model)
    return numpy_helper.to_array(model.graph.initializer[0]).astype(np.float64)


for dtype, numbers, known in (
    ("float", [1, 2], [1, 2]),
    ("double", [1, 2.5], [1, 2.5]),
    ("int8", [1, -2], [1, -2]),
    ("float16", [1, 2], [2**-24, 2**-23]),
    ("float16", [15360, 16384], [1, 2]),
    ("bfloat16", [16256], [1]),
    ("float8e4m3fn", [1, 56], [2**-9, 1]),
    ("int4", [1, 2, 3, -1], [1, 0, 2, 0]),
    ("uint4", [1, 2, 3, 15], [1, 0, 2, 0]),
    ("int8", [300], [44]),
    ("uint8", [-1], [255]),
):
    got = read(dtype, numbers)
    print(f"{dtype} {numbers}: {got}")
    assert np.array_equal(got, known)

try:
    read("float16", [1.5, 2.5])
except parser.ParseError:
    print("float16 [1.5, 2.5]: refused")
else:
    raise SystemExit("float16 fractions are read")
EOF
