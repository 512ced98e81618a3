#!/usr/bin/env bash
# Expected: tf.pool with padding "same" leaves the padding out, for every dilation: a maximum is one of the image's
#   values, an average of ones is 1 everywhere, as both are without a dilation.
# What happens: with dilations TensorFlow.js rearranges space to batch and pads with zeros for that: the maxima of a
#   negative map are 0 at the border, wherever a window leaves the map; averages count the zeros. Padding given as a
#   number is passed over, so that the result is smaller; "valid" is right.
# Why it matters: behind a ReLU nobody sees it in a max pool, behind a linear layer or a leaky ReLU the border is wrong;
#   dilated pools come with networks for segmentation whose strides were taken out. It is so in every backend.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0
cat > pools.js <<'EOF'
const assert = require('assert');
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');

// The first row of a pool of 3×3 over 6×6 pixels of one value.
function row(value, kind, padding, dilation) {
  const pooled = tf.pool(tf.fill([1, 6, 6, 1], value), 3, kind, padding, dilation);
  return Array.from(tf.reshape(pooled, pooled.shape.slice(1, 3)).arraySync()[0], x => Number(x.toFixed(3)));
}

console.log('tfjs-core', tf.version_core);
for (const [kind, value] of [['max', -5], ['avg', 1]]) {
  for (const [padding, dilation] of [['same', 1], ['same', 2], [2, 2], ['valid', 2]]) {
    const got = row(value, kind, padding, dilation);
    console.log(`${kind} of ${value}s, padding ${padding}, dilation ${dilation}: ${got}`);
    let known = Array(padding === 'same' ? 6 : 2).fill(value);
    if (padding === 'same' && dilation > 1) {
      known = kind === 'max' ? [0, 0, 0, 0, 0, 0] : [0.444, 0.444, 0.667, 0.667, 0.444, 0.444];
    }
    assert.deepStrictEqual(got, known);
  }
}
EOF
node pools.js
