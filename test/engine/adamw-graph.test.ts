/** AdamW as a graph: the values of torch.optim.AdamW, on every backend of this machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { adamwGraph, adamwScalars, squaresGraph, sumGraph } from '../../src/engine/adamw-graph.ts';
import { type Feeds, openEngine } from '../../src/engine/index.ts';
import { adamwFixture as fixture } from '../support/adamw-fixture.ts';

const parts = ['weights', 'first', 'second'] as const;

for (const backend of ['ort', 'reference'] as const)
  test(`20 steps, ${backend}`, async () => {
    const engine = await openEngine(nodePlatform, { backend, threads: 1 });
    try {
      for (const { name, shape, decay } of fixture.tensors) {
        const program = await engine.compile(adamwGraph(shape.length));
        const zeros = new Float32Array(fixture.start[name]!.length);
        let state: Record<(typeof parts)[number], Float32Array> = {
          weights: Float32Array.from(fixture.start[name]!),
          first: zeros,
          second: zeros,
        };
        for (const [i, gradients] of fixture.gradients.entries()) {
          // A gradient twice as large, halved by the scale.
          const gradient = Float32Array.from(gradients[name]!, (value) => 2 * value);
          const scalars = adamwScalars({ ...fixture.options, step: i + 1, gradientScale: 0.5 }, decay);
          const feeds: Feeds = {
            ...Object.fromEntries(Object.entries({ ...state, gradient }).map(([key, data]) => [key, { data, shape }])),
            ...Object.fromEntries(
              Object.entries(scalars).map(([key, value]) => [key, { data: Float32Array.of(value), shape: [] }]),
            ),
          };
          const found = await program.run(feeds);
          state = { weights: found.weights!.floats, first: found.first!.floats, second: found.second!.floats };
          const expected = fixture.after[String(i + 1)]?.[name];
          if (expected !== undefined)
            for (const part of parts) {
              const peak = Math.max(...expected[part].map(Math.abs));
              for (const [at, value] of expected[part].entries())
                assert.ok(
                  Math.abs(state[part][at]! - value) <= 1e-6 * Math.max(Math.abs(value), 0.1 * peak),
                  `${part} of ${name}[${at}], step ${i + 1}: ${state[part][at]} instead of ${value}`,
                );
            }
        }
        await program.close();
      }
    } finally {
      await engine.close();
    }
  });

test('the norm over tensors of any shapes, and sums of gradients', async () => {
  const engine = await openEngine(nodePlatform, { threads: 1 });
  try {
    const norm = await engine.compile({ y: squaresGraph(fixture.tensors.map(({ shape }) => shape)) });
    for (const i of [0, 1]) {
      const feeds = fixture.tensors.map(({ name, shape }, at) => [
        String(at),
        { data: Float32Array.from(fixture.gradients[i]![name]!), shape },
      ]);
      const found = Math.sqrt((await norm.run(Object.fromEntries(feeds))).y!.floats[0]!);
      assert.ok(Math.abs(found - fixture.norms[i]!) <= 1e-6 * fixture.norms[i]!);
    }
    const sum = await engine.compile({ y: sumGraph(2) });
    const two = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] };
    assert.deepEqual([...(await sum.run({ a: two, b: two })).y!.floats], [2, 4, 6, 8]);
  } finally {
    await engine.close();
  }
});
