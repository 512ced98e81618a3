#!/usr/bin/env bash
# Expected: tf.image.rotateWithOffset fills what the rotation leaves free with the fill value, in the image's dtype, in
#   all channels.
# What happens: TensorFlow.js's wasm makes whole numbers of it, without a sign: 0.5 becomes 0 and -2 becomes 4294967296.
#   With four channels the last one gets 255, whatever the value (but for 0). The backend "cpu" fills with the value.
# Why it matters: images for a network are in 0 … 1 or -1 … 1, grey is 0.5 or a negative mean. Corners of 4e9 make
#   activations of that size where a black corner was meant; a map of four features has 255 in the corners of one.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 \
    @tensorflow/tfjs-backend-wasm@4.22.0
cat > rotate.js <<'EOF'
const assert = require('assert');
const path = require('path');
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + path.sep);

(async () => {
  console.log('tfjs-core', tf.version_core);
  for (const [channels, fill, known] of [
    [3, 7, [7, 7, 7]], [3, 0.5, [0, 0, 0]], [3, -2, [2 ** 32, 2 ** 32, 2 ** 32]],
    [4, 7, [7, 7, 7, 255]], [4, 0, [0, 0, 0, 0]],
  ]) {
    for (const backend of ['cpu', 'wasm']) {
      await tf.setBackend(backend);
      const rotated = tf.image.rotateWithOffset(tf.fill([1, 4, 4, channels], 100), Math.PI / 4, fill).dataSync();
      const corner = Array.from(rotated.slice(0, channels));
      console.log(`${channels} channels, fill ${fill}, ${backend}: ${corner}`);
      assert.deepStrictEqual(corner, backend === 'cpu' ? Array(channels).fill(fill) : known);
      assert.strictEqual(rotated[5 * channels], 100);
    }
  }
})();
EOF
node rotate.js
