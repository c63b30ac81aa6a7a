/**
 * Attention in programs of a training: the same function as outside, and a sequence's output and gradient are, to the bit, what
 * they are without its neighbours in the batch.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import {
  type AttentionOptions,
  attention,
  dropoutKeys,
  gradients,
  input,
  multiply,
  openEngine,
  sequenceFeeds,
  sequenceInputs,
  sum,
} from '../../src/engine/index.ts';
import { cases, compare } from './conformance.ts';
import { Draw } from './ops.ts';

const engine = await openEngine(nodePlatform, { threads: 2 });
const training = await engine.openTraining([]);
const oracle = await openEngine(nodePlatform, { backend: 'reference' });
after(() => engine.close());

for (const { name, draw, tolerance } of cases.filter((one) => one.name.startsWith('attention ')))
  test(`in training: ${name}`, () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), (seed) => compare(training, oracle, draw(new Draw(seed, 'conformance')), tolerance)),
      { numRuns: 8 },
    ));

const heads = 4;
const variants: Record<string, Partial<AttentionOptions> & { biased?: boolean; rate?: number }> = {
  plain: {},
  'causal, within a window': { causal: true, window: 5 },
  'grouped heads, slopes': { keyHeads: 2, alibi: [0.5, 0.1, 0.2, 0] },
  'a bias': { biased: true },
  dropout: { rate: 0.2 },
  'dropout and a bias': { rate: 0.2, biased: true },
  'blocks, dropout, a window': { rate: 0.2, block: 4, window: 3 },
};
for (const [name, { biased = false, rate = 0, keyHeads = heads, ...options }] of Object.entries(variants))
  test(`a sequence alone and in a batch: ${name}`, async () => {
    const size = 8;
    const lengths = [3, 17, 1, 9];
    const widths = { query: heads * size, key: keyHeads * size, value: keyHeads * size, weight: heads * size };
    const leaf = (part: keyof typeof widths) => input(part, 'float32', ['tokens', widths[part]]);
    const [query, key, value] = [leaf('query'), leaf('key'), leaf('value')];
    const y = attention(query, key, value, sequenceInputs(), {
      heads,
      keyHeads,
      ...options,
      ...(biased ? { bias: input('bias', 'float32', [heads, 'seq', 'seq']) } : {}),
      ...(rate > 0 ? { dropout: { rate, site: 3, keys: input('keys', 'int32', ['tokens']) } } : {}),
    });
    const [ofQuery, ofKey, ofValue] = gradients(sum(sum(multiply(y, leaf('weight')), 0), 0), [query, key, value]);
    const program = await training.compile({ y, ofQuery: ofQuery!, ofKey: ofKey!, ofValue: ofValue! });

    const random = stream(1, 'values');
    const floats = (count: number) => Float32Array.from({ length: count }, () => random.uniform() * 2 - 1);
    const rows = lengths.map((length) =>
      Object.fromEntries(Object.entries(widths).map(([part, width]) => [part, floats(length * width)])),
    );
    const bias = Array.from({ length: heads }, () => Array.from({ length: 17 }, () => floats(17)));
    const run = async (chosen: readonly number[]) => {
      const own = chosen.map((i) => lengths[i]!);
      const seq = Math.max(...own);
      const found = await program.run({
        ...Object.fromEntries(
          Object.keys(widths).map((part) => [part, Float32Array.from(chosen.flatMap((i) => [...rows[i]![part]!]))]),
        ),
        ...sequenceFeeds(own),
        ...(rate > 0 ? { keys: dropoutKeys({ seed: 1, step: 1, samples: chosen, lengths: own }) } : {}),
        ...(biased
          ? {
              bias: {
                data: Float32Array.from(
                  bias.flatMap((square) => square.slice(0, seq).flatMap((row) => [...row.slice(0, seq)])),
                ),
                shape: [heads, seq, seq],
              },
            }
          : {}),
      });
      let start = 0;
      return own.map((length) => {
        const parts = Object.entries(found).map(([part, { floats: all, shape }]) => [
          part,
          all.slice(start * shape[1]!, (start + length) * shape[1]!),
        ]);
        start += length;
        return Object.fromEntries(parts);
      });
    };
    const together = await run([0, 1, 2, 3]);
    assert.ok(together[1]!.ofValue.some((one: number) => one !== 0));
    for (const i of [0, 1, 2, 3]) assert.deepEqual((await run([i]))[0], together[i], `sequence ${i}`);
    assert.deepEqual(await run([3, 0]), [together[3], together[0]]);
    await program.close();
  });
