#!/usr/bin/env bash
# Expected: a cast to bool is "not zero", as in TensorFlow and NumPy: 0.3, -1.7 and NaN are true, and TensorFlow.js
#   gives 1 for each of them.
# What happens: the wasm backend cuts the float to an integer of one byte: 0.3, -0.9 and NaN are false, 256 is false,
#   -1.7 is 255 and 2.5 is 2. A sum of such truths is no count. From int32 the low byte alone is taken: 256 is false.
#   The CPU backend gives 0 and 1.
# Why it matters: masks are made of scores between 0 and 1 with a cast; in the browser's fastest backend without a GPU
#   nothing is left of them. Write tf.notEqual(x, 0), which is right in both.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 \
    @tensorflow/tfjs-backend-wasm@4.22.0
cat > cast.js <<'EOF'
const assert = require('assert');
const path = require('path');
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const wasm = require('@tensorflow/tfjs-backend-wasm');

wasm.setWasmPaths(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + '/');
const cases = [
  ['float32', [0, 1, 0.3, -0.9, -1.7, 2.5, 256, NaN], [0, 1, 1, 1, 1, 1, 1, 1], [0, 1, 0, 0, 255, 2, 0, 0]],
  ['int32', [0, 1, -1, 2, 256, 257], [0, 1, 1, 1, 1, 1], [0, 1, 255, 2, 0, 1]],
];

(async () => {
  console.log('tfjs-core', tf.version_core);
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    await tf.ready();
    for (const [dtype, values, right, cut] of cases) {
      const x = tf.tensor1d(values, dtype);
      const got = Array.from(tf.cast(x, 'bool').dataSync());
      console.log(`${backend}, ${dtype} ${values}: cast ${got}`);
      assert.deepStrictEqual(got, backend === 'cpu' ? right : cut);
      assert.deepStrictEqual(Array.from(tf.notEqual(x, tf.scalar(0, dtype)).dataSync()), right);
    }
  }
})().catch(error => {
  console.error(error);
  process.exit(1);
});
EOF
node cast.js 2> log || { cat log; exit 1; }
