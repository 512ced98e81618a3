#!/usr/bin/env bash
# Expected: a convolution of a batch in onnx.js gives each image the result that it has alone, as its pools do.
# What happens: with the CPU backend Conv computes the first image and leaves zeros for all others. LRN adds the squares
#   of the first image's channels to those of the others. Nothing raises, and the shapes are right.
# Why it matters: behind further layers with biases the zeros are plausible scores, the same for every image after the
#   first. Results of a batch and of single images are rarely compared in a browser. Run the images one by one, or take
#   onnxruntime-web, its successor.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund onnxjs@0.1.8 onnx-proto@4.0.4
cat > batch.js <<'EOF'
const assert = require('assert');
const onnx = require('onnxjs');
const { onnx: format } = require('onnx-proto');

// A model of one node over x, with a weight where one is given.
function model(opType, shape, attribute, weight) {
  const type = { tensorType: { elemType: 1, shape: { dim: shape.map(dimValue => ({ dimValue })) } } };
  const names = weight ? ['x', 'w'] : ['x'];
  const graph = {
    name: 'g',
    node: [{ opType, input: names, output: ['y'], attribute }],
    input: [{ name: 'x', type }],
    output: [{ name: 'y', type }],
    initializer: weight ? [{ name: 'w', dims: [1, 1, 1, 1], dataType: 1, floatData: [weight] }] : [],
  };
  const whole = { irVersion: 4, opsetImport: [{ domain: '', version: 9 }], graph };
  return format.ModelProto.encode(format.ModelProto.create(whole)).finish();
}

async function run(bytes, values, shape) {
  const session = new onnx.InferenceSession({ backendHint: 'cpu' });
  await session.loadModel(bytes);
  const results = await session.run([new onnx.Tensor(new Float32Array(values), 'float32', shape)]);
  return Array.from(results.values().next().value.data).map(value => Number(value.toFixed(4)));
}

(async () => {
  console.log('onnxjs', require('./node_modules/onnxjs/package.json').version);
  const convolved = await run(model('Conv', [3, 1, 1, 2], [], 2), [1, 2, 10, 20, 5, 6], [3, 1, 1, 2]);
  console.log('three images of 1, 2; 10, 20; 5, 6, each twice its size by a 1×1 Conv:', convolved.join(' '));
  assert.deepStrictEqual(convolved, [2, 4, 0, 0, 0, 0]);

  const pooled = await run(model('GlobalAveragePool', [3, 1, 1, 2], []), [1, 2, 10, 20, 5, 6], [3, 1, 1, 2]);
  console.log('their means:', pooled.join(' '));
  assert.deepStrictEqual(pooled, [1.5, 15, 5.5]);

  const attributes = [{ name: 'size', type: 2, i: 1 }];
  attributes.push(...['alpha', 'beta', 'bias'].map(name => ({ name, type: 1, f: 1 })));
  const normalised = await run(model('LRN', [2, 1, 1, 2], attributes), [1, 2, 5, 6], [2, 1, 1, 2]);
  console.log('LRN of 1, 2; 5, 6, where 5 / (1 + 5²) is 0.1923:', normalised.join(' '));
  assert.deepStrictEqual(normalised.slice(0, 2), [0.5, 0.4]);
  assert.strictEqual(normalised[2], Number((5 / (1 + 5 ** 2 + 1 ** 2)).toFixed(4)));
})().catch(error => {
  console.error(error);
  process.exit(1);
});
EOF
node batch.js
