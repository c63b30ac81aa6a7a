// Training steps by TensorFlow.js on the networks of bench/support/encoder-layer.ts, for bench/tfjs.ts.
//
//     node tfjs_step.mjs PACKAGES BACKEND      PACKAGES: where @tensorflow/tfjs is installed; BACKEND: wasm or cpu
//
// Prints "ready", then for each line of stdin (a JSON file {"network", "steps"}) the seconds of a step: the median of the steps.
// A job {"network", "loss": true} is answered with the loss of the network as it is now.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { initial, numbers, parameterShapes, rows, sizes } from '../support/encoder-layer.ts';
import { median } from '../support/measurement.ts';

const [packages, backend] = process.argv.slice(2);
const require = createRequire(join(packages, 'package.json'));
console.log = console.warn = console.info = () => {}; // it greets on its own
const tf = require('@tensorflow/tfjs');
if (backend === 'wasm') {
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
}
if (!(await tf.setBackend(backend))) throw new Error(`no backend ${backend}`);
await tf.ready();

const { hidden, heads, batch, seq, learningRate, epsilon } = sizes;
const size = hidden / heads;

function open(network) {
  const variables = Object.fromEntries(
    Object.entries(parameterShapes(network)).map(([name, shape], at) => [
      name,
      tf.variable(tf.tensor(initial(name, shape, at + 1), shape)),
    ]),
  );
  const x = tf.tensor(numbers(rows * hidden, 101), [rows, hidden]);
  const target = tf.tensor(numbers(rows * hidden, 102), [rows, hidden]);
  const dense = (input, name) => tf.add(tf.matMul(input, variables[`${name}.weight`]), variables[`${name}.bias`]);
  const norm = (input, name) => {
    const centred = tf.sub(input, tf.mean(input, 1, true));
    const variance = tf.mean(tf.square(centred), 1, true);
    const normal = tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(normal, variables[`${name}.weight`]), variables[`${name}.bias`]);
  };
  const forward = {
    mlp: () => dense(tf.relu(dense(tf.relu(dense(x, 'first')), 'second')), 'third'),
    encoder() {
      const split = (input) => tf.transpose(tf.reshape(input, [batch, seq, heads, size]), [0, 2, 1, 3]);
      const [query, key, value] = ['query', 'key', 'value'].map((name) => split(dense(x, name)));
      const scores = tf.mul(tf.matMul(query, key, false, true), 1 / Math.sqrt(size));
      const attended = tf.transpose(tf.matMul(tf.softmax(scores), value), [0, 2, 1, 3]);
      const middle = norm(tf.add(dense(tf.reshape(attended, [rows, hidden]), 'out'), x), 'norm1');
      return norm(tf.add(dense(tf.relu(dense(middle, 'up')), 'down'), middle), 'norm2');
    },
  }[network];
  const loss = () => tf.mean(tf.square(tf.sub(forward(), target)));
  const optimizer = tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
  return {
    async step() {
      const cost = optimizer.minimize(loss, true);
      await cost.data(); // the step is done
      cost.dispose();
    },
    loss: () => tf.tidy(() => loss().dataSync()[0]),
  };
}

const networks = new Map();
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { network, steps, loss } = JSON.parse(readFileSync(line, 'utf8'));
  if (!networks.has(network)) networks.set(network, open(network));
  const model = networks.get(network);
  const seconds = [];
  for (let i = 0; i < (steps ?? 0); i++) {
    const started = performance.now();
    await model.step();
    seconds.push((performance.now() - started) / 1000);
  }
  process.stdout.write(`${loss ? model.loss() : median(seconds)}\n`);
}
