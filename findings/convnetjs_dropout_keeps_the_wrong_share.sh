#!/usr/bin/env bash
# Expected: a Dropout layer that drops a share p of its values in training either divides the others by 1 - p there, or
#   multiplies all by 1 - p when it predicts, so that their mean stays the same.
# What happens: ConvNetJS multiplies by p. With drop_prob 0.2 a prediction has 0.2 of the values where training had 0.8 of
#   them on the mean, with 0.1 a ninth of what the next layer was trained for. With 0.5, the usual share, p and 1 - p are
#   equal and nothing is seen.
# Why it matters: dropout by 0.1 or 0.2 between convolutions is common; the layers behind it then work on inputs four or
#   nine times too small, and biases decide. Networks loaded with fromJSON predict so too. Scale the next layer's weights
#   by (1 - p) / p, or leave the layer out and scale them by 1 - p.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund convnetjs@0.3.0
cat > dropout.js <<'EOF'
const assert = require('assert');
const { DropoutLayer, Vol } = require('convnetjs');

const VALUES = 20000;
const ones = new Vol(1, 1, VALUES, 1.0);
const mean = volume => volume.w.reduce((sum, value) => sum + value, 0) / VALUES;
console.log('convnetjs', require('./node_modules/convnetjs/package.json').version);
for (const share of [0.1, 0.2, 0.5, 0.8]) {
  const layer = new DropoutLayer({ in_sx: 1, in_sy: 1, in_depth: VALUES, drop_prob: share });
  const copy = new DropoutLayer();
  copy.fromJSON(JSON.parse(JSON.stringify(layer.toJSON())));
  const results = [layer.forward(ones, true), layer.forward(ones, false), copy.forward(ones, false)];
  const [trained, predicted, loaded] = results.map(mean);
  console.log(`drop_prob ${share}: mean ${trained.toFixed(1)} in training, ${predicted.toFixed(1)} when it predicts`);
  assert(Math.abs(trained - (1 - share)) < 0.03);
  assert(Math.abs(predicted - share) < 1e-6 && predicted === loaded);
}
EOF
node dropout.js
