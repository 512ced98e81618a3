#!/usr/bin/env bash
# Expected: a ReLU layer of a Keras model with negative_slope or threshold, and a LeakyReLU whose slope Keras 3 writes
#   as negative_slope, have them in TensorFlow.js, or are refused, as ELU with an alpha other than 1 is.
# What happens: its ReLU knows max_value alone, and its LeakyReLU alpha alone. ReLU(negative_slope=0.1) gives 0 for all
#   negative values, ReLU(threshold=1) keeps 0.5, and a LeakyReLU with negative_slope 0.01 has the slope 0.3.
# Why it matters: half of the values of a map are wrong, and a slope of 0.3 for 0.01 multiplies them by 30 behind each
#   layer. Nothing warns: what a layer does not know is left out of its JSON. Keras 3's hard_sigmoid is another
#   one, too: x/6 + 0.5, and here 0.2·x + 0.5 as in Keras 2. Write slopes as alpha, thresholds as operations.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-layers@4.22.0 \
    @tensorflow/tfjs-backend-cpu@4.22.0
cat > slopes.js <<'EOF'
const assert = require('assert');
const tf = require('@tensorflow/tfjs-core');
const { models, version_layers } = require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-cpu');

const values = [-2, -1, 0.5, 2, 8];

// What the layer, as Keras writes it into a model's JSON, makes of the values.
async function run(class_name, options) {
  const topology = { class_name: 'Sequential', config: { name: 'net', layers: [
    { class_name: 'InputLayer', config: { name: 'x', batch_input_shape: [null, 5], dtype: 'float32' } },
    { class_name, config: { name: 'layer', ...options } },
  ] } };
  const model = await models.modelFromJSON(topology);
  return Array.from(model.predict(tf.tensor([values])).dataSync(), x => Number(x.toFixed(4)));
}

async function main() {
  console.log('tfjs-layers', version_layers);
  for (const [name, options, right, known] of [
    ['ReLU', { max_value: 6, negative_slope: 0, threshold: 0 }, [0, 0, 0.5, 2, 6], [0, 0, 0.5, 2, 6]],
    ['ReLU', { max_value: 6, negative_slope: 0.1, threshold: 0 }, [-0.2, -0.1, 0.5, 2, 6], [0, 0, 0.5, 2, 6]],
    ['ReLU', { max_value: 6, negative_slope: 0, threshold: 1 }, [0, 0, 0, 2, 6], [0, 0, 0.5, 2, 6]],
    ['LeakyReLU', { alpha: 0.01 }, [-0.02, -0.01, 0.5, 2, 8], [-0.02, -0.01, 0.5, 2, 8]],
    ['LeakyReLU', { negative_slope: 0.01 }, [-0.02, -0.01, 0.5, 2, 8], [-0.6, -0.3, 0.5, 2, 8]],
    ['Activation', { activation: 'hard_sigmoid' }, [0.1667, 0.3333, 0.5833, 0.8333, 1], [0.1, 0.3, 0.6, 0.9, 1]],
  ]) {
    const got = await run(name, options);
    console.log(`${name} ${JSON.stringify(options)} of ${values}: ${got}; in Keras 3: ${right}`);
    assert.deepStrictEqual(got, known);
  }
  await assert.rejects(run('ELU', { alpha: 0.5 }), /not supported/);
}
main().catch(error => { console.error(error); process.exit(1); });
EOF
node slopes.js
