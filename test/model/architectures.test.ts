/** Every architecture against transformers, at every layer, on both backends. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openEngine, type ParameterValue, type Tensor } from '../../src/engine/index.ts';
import { architectureOf } from '../../src/model/architectures.ts';
import { batchFeeds, batchInputs } from '../../src/model/batch.ts';
import { matchTensors, openCheckpoint } from '../../src/model/checkpoint.ts';
import { readEncoderConfig } from '../../src/model/config.ts';
import { floatContext, symbolicParameters } from '../../src/model/forward.ts';
import { relativePositionBucket } from '../../src/model/mpnet.ts';
import { expectedOf, fixtureFolder, largestDifference, names } from './fixtures.ts';

const { files } = nodePlatform;
const tolerance = 1e-5;

for (const backend of ['ort', 'reference'] as const) {
  describe(`${backend}: states after every layer as transformers has them`, async () => {
    const engine = await openEngine(nodePlatform, { backend, threads: 1 });
    after(() => engine.close());
    for (const name of names) {
      test(name, async () => {
        const folder = fixtureFolder(name);
        const config = readEncoderConfig(await files.readText(join(folder, 'config.json')), 'config.json');
        const architecture = architectureOf(config);
        const specs = architecture.parameters(config);
        const { tensors } = matchTensors(await openCheckpoint(files, folder), specs, architecture.prefixes);
        const parameters = new Map<string, ParameterValue>();
        for (const [key, { file, offset, bytes, shape }] of tensors)
          parameters.set(key, { dtype: 'float32', shape, source: { file, offset, bytes } });

        const { sequences, segments, hidden } = await expectedOf(name);
        const batch = batchInputs({ segments: segments !== undefined });
        const states = architecture.forward(config, symbolicParameters(specs), batch, floatContext);
        assert.equal(states.length, hidden.length);
        // The normalised output stands in the last place; transformers shows no state between.
        const outputs: Record<string, Tensor> = Object.fromEntries(states.map((state, layer) => [`h${layer}`, state]));
        const program = await engine.compile(outputs, { parameters });
        const result = await program.run(batchFeeds(config, sequences, segments === undefined ? {} : { segments }));
        hidden.forEach((expected, layer) => {
          const worst = largestDifference(result[`h${layer}`]!.floats, expected);
          assert.ok(worst < tolerance, `layer ${layer}: largest difference ${worst}`);
        });
        await program.close();
      });
    }
  });
}

test('ModernBERT base has the 149,014,272 parameters of its authors, the large one 394,781,696', () => {
  const count = (fields: object) => {
    const config = readEncoderConfig(JSON.stringify({ model_type: 'modernbert', ...fields }), 'config.json');
    const specs = architectureOf(config).parameters(config);
    return specs.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);
  };
  assert.equal(count({}), 149_014_272);
  const large = { hidden_size: 1024, intermediate_size: 2624, num_hidden_layers: 28, num_attention_heads: 16 };
  assert.equal(count(large), 394_781_696);
});

test('MPNet has a bucket for each near distance and wider ones up to 128', () => {
  const buckets = [0, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 500].map(relativePositionBucket);
  assert.deepEqual(buckets, [0, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15, 15]);
  assert.deepEqual([-1, -7, -8, -128].map(relativePositionBucket), [17, 23, 24, 31]);
});
