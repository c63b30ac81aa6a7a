import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PatentlabError } from '../../src/base/errors.ts';
import { buildRelevance } from '../../src/corpus/relevance.ts';
import { relevanceWithin } from '../../src/corpus/split-relevance.ts';
import { openCorpus, removeCorpus } from '../../src/corpus/store.ts';
import { normaliseText } from '../../src/corpus/text-prints.ts';
import { viewText } from '../../src/corpus/views.ts';
import type { MatrixProduct } from '../../src/retrieve/matrix-product.ts';
import { auditLeakage, leakageTable, requireClean } from '../../src/tune/leakage.ts';
import { bm25Ranker, mineNegatives, vectorRanker } from '../../src/tune/negatives.ts';
import { PairTable, pairTexts, RowPairSet } from '../../src/tune/pairs.ts';
import { comparePlans, matchPairs, planTraining, requireMatched, zeroShotPlan } from '../../src/tune/plan.ts';
import { buildPairs, corpusSignals, type RecipeOptions, recipeSignals } from '../../src/tune/recipes.ts';
import { falseNegatives, Relatedness } from '../../src/tune/related.ts';
import { shufflePairs } from '../../src/tune/shuffled.ts';
import { importRows } from '../corpus/store-support.ts';
import { missing, realData } from '../support/data.ts';
import { inventCorpus } from '../support/invent.ts';
import { scratch } from '../support/scratch.ts';
import { drawnRows, idAt, type SplitWorkbench, splitOf, withReal, withRows, withWorkbench } from './support.ts';

const code = (error: unknown) => (error as PatentlabError).code;
const has = (wanted: string) => (error: unknown) => code(error) === wanted;

/** The recipe's pairs, or undefined where the drawn corpus has none. */
async function tryPairs(recipe: string, bench: SplitWorkbench, options: RecipeOptions) {
  try {
    return await buildPairs(recipe, bench, options);
  } catch (error) {
    if (['recipe.none', 'recipe.signal'].includes(code(error))) return undefined;
    throw error;
  }
}

/** Draws corpora with a split; a draw that leaves a part empty is passed over. */
function onDrawn(home: string, numRuns: number, use: (bench: SplitWorkbench, seed: number) => Promise<void>) {
  return fc.assert(
    fc.asyncProperty(drawnRows, fc.nat(1000), (rows, seed) =>
      withRows(home, rows, async (bench) => {
        const split = await splitOf(bench, { by: 'family', seed, test: 0.3 }).catch((error) => {
          if (code(error) === 'split.empty') return undefined;
          throw error;
        });
        if (split !== undefined) await use({ ...bench, split }, seed);
      }),
    ),
    { numRuns },
  );
}

test('pairs of every recipe: both ends train, what they say is true, none twice, no leak', async (t) => {
  const tried: Record<string, number> = {};
  await onDrawn(scratch(t), 20, async (bench, seed) => {
    const { corpus, split, relations } = bench;
    const judged = await buildRelevance(corpus, relations, { relevance: 'both', seed: 1 }).catch(() => undefined);
    for (const recipe of ['R1', 'R2', 'R3', 'R4', 'R1+R3']) {
      const built = await tryPairs(recipe, bench, { seed });
      if (built === undefined) continue;
      tried[recipe] = (tried[recipe] ?? 0) + 1;
      const { pairs } = built;
      const keys = new Set<string>();
      for (let i = 0; i < pairs.length; i++) {
        const { kind, anchor, positive } = pairs.at(i);
        const [a, b] = [await corpus.get(anchor), await corpus.get(positive)];
        assert.deepEqual([split.part[anchor], split.part[positive]], [0, 0]);
        const texts = [viewText(a, kind.anchorView), viewText(b, kind.positiveView)].map(normaliseText);
        assert.ok(texts[0] !== '' && texts[1] !== '' && texts[0] !== texts[1]);
        if (kind.signal === 'sections') assert.equal(anchor, positive);
        else assert.notEqual(split.group[anchor], split.group[positive]);
        if (kind.signal === 'citations')
          assert.ok(a.cites.some(({ id }) => id === b.id) || b.citedBy.includes(a.id), 'the anchor cites the positive');
        if (kind.signal === 'labels') assert.ok(a.labels.some((label) => b.labels.includes(label)));
        const key = `${kind.signal} ${pairs.key(i)}`;
        assert.ok(!keys.has(key), `${key} twice`);
        keys.add(key);
      }
      const audit = await auditLeakage(pairs, {
        ...bench,
        ...(judged === undefined ? {} : { relevance: relevanceWithin(judged, split) }),
      });
      assert.ok(audit.clean, leakageTable(audit));
      requireClean(audit);
    }
  });
  for (const recipe of ['R1', 'R2', 'R3', 'R4', 'R1+R3']) assert.ok((tried[recipe] ?? 0) > 3, JSON.stringify(tried));
});

test('a number of pairs is the beginning of all, and no anchor comes again before all had their turn', async (t) => {
  await onDrawn(scratch(t), 10, async (bench, seed) => {
    for (const recipe of ['R1', 'R2', 'R3', 'R4']) {
      const all = await tryPairs(recipe, bench, { seed });
      if (all === undefined) continue;
      const half = (await buildPairs(recipe, bench, { seed, pairs: Math.ceil(all.pairs.length / 2) })).pairs;
      const start = all.pairs.first(half.length);
      assert.deepEqual([half.anchor, half.positive, half.kind], [start.anchor, start.positive, start.kind]);
      if (recipe !== 'R3' && recipe !== 'R1') continue;
      const seen = new Map<number, number>();
      let round = 0;
      for (const anchor of all.pairs.anchor) {
        const turn = (seen.get(anchor) ?? 0) + 1;
        seen.set(anchor, turn);
        assert.ok(turn >= round || recipe === 'R1', 'rounds come in order');
        round = Math.max(round, turn);
      }
      const capped = await buildPairs('R1', bench, { seed, perAnchor: 1 }).catch(() => undefined);
      if (capped !== undefined) assert.equal(new Set(capped.pairs.anchor).size, capped.pairs.length);
    }
  });
});

test('the order of import changes no pair', async (t) => {
  const home = scratch(t);
  await fc.assert(
    fc.asyncProperty(drawnRows, async (rows) => {
      const ids = (given: typeof rows) =>
        withRows(home, given, async (bench) => {
          const split = await splitOf(bench, { by: 'family', seed: 3, test: 0.3 }).catch(() => undefined);
          if (split === undefined) return undefined;
          const built = await tryPairs('R4', { ...bench, split }, { seed: 3 });
          const { pairs } = built ?? {};
          return pairs && Array.from(pairs.anchor, (a, i) => [bench.corpus.id(a), bench.corpus.id(pairs.positive[i]!)]);
        });
      assert.deepEqual(await ids([...rows].reverse()), await ids(rows));
    }),
    { numRuns: 6 },
  );
});

test('an absent signal is refused by name, with what the corpus has', async (t) => {
  const rows = Array.from({ length: 30 }, (_, at) => ({ id: idAt(at), title: `Thing ${at}`, ipc: ['A61B 8/08'] }));
  await withRows(scratch(t), rows, async (bench) => {
    const sources = { ...bench, split: await splitOf(bench, { by: 'family', seed: 1 }) };
    assert.deepEqual(
      Object.values(corpusSignals(bench.corpus)).map(({ present }) => present),
      [false, true, false],
    );
    await assert.rejects(buildPairs('R1', sources, { seed: 1 }), (error: PatentlabError) => {
      assert.equal(error.code, 'recipe.signal');
      assert.match(error.describe(), /signal absent: "drawn" lacks the citations that recipe R1 learns from/);
      assert.match(error.describe(), /30 with ipc[\s\S]*Use R2/);
      return true;
    });
    await assert.rejects(buildPairs('R4', sources, { seed: 1 }), has('recipe.signal'));
    await assert.rejects(buildPairs('R2', sources, { seed: 1, labels: 'cpc' }), has('recipe.signal'));
    await assert.rejects(buildPairs('R9', sources, { seed: 1 }), has('recipe.unknown'));
    await assert.rejects(buildPairs('R2', sources, { seed: 1, view: 'C' }), has('recipe.none'));
    assert.ok((await buildPairs('r2', sources, { seed: 1, level: 'group' })).pairs.length > 20);
  });
  assert.deepEqual(recipeSignals('R3+R1'), ['citations', 'sections']);
});

test('a batch masks exactly what is related', async (t) => {
  await onDrawn(scratch(t), 8, async (bench, seed) => {
    const { corpus, split } = bench;
    const built = await tryPairs('R4', bench, { seed });
    if (built === undefined) return;
    const related = new Relatedness(split, bench.relations, built.labels);
    const batch = Array.from({ length: Math.min(12, built.pairs.length) }, (_, i) => built.pairs.at(i));
    const negatives = batch.map((_, i) => (i % 3 === 0 ? -1 : (i * 5) % corpus.size));
    const mask = falseNegatives(batch, related, negatives);
    const n = batch.length;
    assert.equal(mask.length, n * 2 * n);
    const patents = await Promise.all(Array.from({ length: corpus.size }, (_, row) => corpus.get(row)));
    const cites = (a: number, b: number) =>
      patents[a]!.cites.some(({ id }) => id === patents[b]!.id) || patents[b]!.citedBy.includes(patents[a]!.id);
    const same = (a: number, b: number) => split.group[a] === split.group[b];
    const near = (a: number, b: number) =>
      same(a, b) ||
      cites(a, b) ||
      cites(b, a) ||
      patents[a]!.labels.some((label) => patents[b]!.labels.includes(label));
    for (const [i, { anchor, positive }] of batch.entries())
      for (let j = 0; j < n; j++) {
        const other = batch[j]!;
        const expected =
          i !== j && (near(anchor, other.positive) || same(positive, other.positive) || same(anchor, other.anchor));
        assert.equal(mask[i * 2 * n + j] === 1, expected);
        const negative = negatives[j]!;
        assert.equal(mask[i * 2 * n + n + j] === 1, negative < 0 || near(anchor, negative) || same(positive, negative));
      }
  });
});

test('hard negatives lie in the band, train, and are related to nothing', async (t) => {
  const home = scratch(t);
  await inventCorpus(home, 'invented', { patents: 200 });
  await withWorkbench(home, 'invented', async (bench) => {
    const split = await splitOf(bench, { by: 'family', seed: 1 });
    const sources = { ...bench, split };
    const built = await buildPairs('R1', sources, { seed: 1, pairs: 150 });
    const related = new Relatedness(split, bench.relations);
    const ranker = await bm25Ranker(bench.corpus, split);
    const options = { ranker, related, split, prints: bench.prints, seed: 5, perPair: 2, skip: 5, take: 20 };
    const mined = await mineNegatives(built.pairs, options);
    assert.deepEqual(await mineNegatives(built.pairs, options), mined);
    assert.notDeepEqual((await mineNegatives(built.pairs, { ...options, seed: 6 })).rows, mined.rows);
    assert.equal(mined.rows.length, 300);
    assert.equal(mined.rows.filter((row) => row < 0).length, mined.lacking);
    assert.ok(mined.lacking < 30, String(mined.lacking));
    for (let i = 0; i < built.pairs.length; i++) {
      const { anchor, positive } = built.pairs.at(i);
      const positives = [...built.pairs.positive].filter((_, at) => built.pairs.anchor[at] === anchor);
      let ranking = new Int32Array(0);
      for await (const found of ranker.rank(Int32Array.of(anchor), 200)) ranking = found.slice();
      const free = [...ranking].filter(
        (row) => !related.related(anchor, row) && !positives.some((other) => related.sameGroup(other, row)),
      );
      const own = [...mined.rows.subarray(2 * i, 2 * i + 2)].filter((row) => row >= 0);
      assert.equal(new Set(own).size, own.length);
      for (const row of own) {
        assert.equal(split.part[row], 0);
        assert.ok(free.indexOf(row) >= 5 && free.indexOf(row) < 25);
        assert.ok(!related.related(anchor, row) && row !== positive);
      }
    }
    const audit = await auditLeakage(built.pairs, { ...sources, negatives: mined });
    assert.ok(audit.clean, leakageTable(audit));
    const wrong = { ...mined, rows: mined.rows.map(() => split.part.indexOf(2)) };
    assert.equal((await auditLeakage(built.pairs, { ...sources, negatives: wrong })).counts.negatives, 300);
  });
});

test('no hard negative has the text of a held-out patent, however few texts there are', async (t) => {
  let tried = 0;
  let barred = 0;
  await onDrawn(scratch(t), 20, async (bench, seed) => {
    const { corpus, relations, split, prints } = bench;
    for (const [recipe, view] of [
      ['R1', 'T'],
      ['R1+R3', 'TA'],
    ] as const) {
      const built = await tryPairs(recipe, bench, { seed, view });
      if (built === undefined) continue;
      const related = new Relatedness(split, relations);
      const ranker = await bm25Ranker(corpus, split, { view });
      const mined = await mineNegatives(built.pairs, { ranker, related, split, prints, seed, perPair: 3, skip: 0 });
      const { counts } = await auditLeakage(built.pairs, { ...bench, negatives: mined });
      assert.equal(counts.negatives, 0);
      tried += mined.rows.filter((row) => row >= 0).length;
      const held = [...prints.idHash.keys()].filter((row) => split.part[row] === 2);
      const isHeld = (row: number) => held.some((other) => prints.sameView(row, other, view));
      barred += [...prints.idHash.keys()].filter((row) => split.part[row] === 0 && isHeld(row)).length;
    }
  });
  assert.ok(tried > 100 && barred > 20, `${tried} negatives, ${barred} patents with a held-out text`);
});

test('the audit finds what is put there, and stops unless it is allowed', async (t) => {
  const long = Array.from({ length: 30 }, (_, i) => `word${i}`).join(' ');
  const rows = [
    { id: idAt(0), title: 'One', abstract: 'First text', cites: [idAt(3)], family_id: 'A' },
    { id: idAt(1), title: 'Two', abstract: long, family_id: 'B' },
    { id: idAt(2), title: 'Three', abstract: 'Third text', family_id: 'C' },
    { id: idAt(3), title: 'Four', abstract: 'Fourth text', family_id: 'B' },
    { id: idAt(4), title: 'TWO!', abstract: long.toUpperCase(), family_id: 'D' },
  ];
  await withRows(scratch(t), rows, async (bench) => {
    const split = { ...(await splitOf(bench, { by: 'family', seed: 1, test: 0, validation: 0 })) };
    split.part = Uint8Array.of(0, 0, 0, 2, 2); // by hand: a family and a text on both sides
    const kinds = [{ signal: 'citations', anchorView: 'TA', positiveView: 'TA' }] as const;
    const audit = async (a: number, b: number) => {
      const table = new PairTable(kinds, Int32Array.of(a), Int32Array.of(b), new Uint8Array(1));
      const relevance = await buildRelevance(bench.corpus, bench.relations, { relevance: 'both', seed: 1 });
      return await auditLeakage(table, { ...bench, split, relevance });
    };
    const counts = async (a: number, b: number) =>
      Object.entries((await audit(a, b)).counts)
        .filter(([, count]) => count > 0)
        .map(([check]) => check);
    assert.deepEqual(await counts(0, 2), ['relevant']);
    assert.deepEqual(await counts(0, 1), ['families', 'texts', 'relevant']);
    assert.deepEqual(await counts(0, 3), ['documents', 'families', 'texts', 'citations', 'judgements', 'relevant']);
    const found = await audit(0, 3);
    assert.match(leakageTable(found), /citations across the split +1 {2}LEAK/);
    assert.deepEqual(found.examples.citations, [`${idAt(0)} – ${idAt(3)}`]);
    assert.throws(() => requireClean(found), has('leakage.found'));
    const allowed = ['documents', 'families', 'texts', 'citations', 'judgements', 'relevant'] as const;
    requireClean({ ...found, allowed: [...allowed] });
    assert.throws(() => requireClean({ ...found, allowed: allowed.slice(1) }), has('leakage.found'));
  });
});

test('transfer: what another corpus tests is compared too', async (t) => {
  const home = scratch(t);
  const rows = (from: number, more: object) =>
    Array.from({ length: 12 }, (_, at) => ({
      id: idAt(from + at),
      title: `Thing ${from + at}`,
      abstract: `It does ${from + at}.`,
      family_id: `F${from + at}`,
      ...(at === 0 ? more : {}),
    }));
  const audit = async (more: object) => {
    await importRows(home, rows(100, more), { name: 'other' });
    const other = await openCorpus(home, 'other');
    try {
      return await withRows(home, rows(0, {}), async (bench) => {
        const split = await splitOf(bench, { by: 'family', seed: 1, test: 0, validation: 0 });
        const { pairs } = await buildPairs('R3', { ...bench, split }, { seed: 1 });
        return (await auditLeakage(pairs, { ...bench, split, elsewhere: [{ corpus: other }] })).counts;
      });
    } finally {
      await other.close();
      await removeCorpus(home, 'other');
    }
  };
  const { documents: none, ...clean } = await audit({});
  assert.equal(none + Object.values(clean).reduce((a, b) => a + b), 0);
  const { documents, families } = await audit({ id: idAt(3).replace('A', 'B2') }); // the same application
  assert.deepEqual([documents, families], [1, 1]);
  assert.equal((await audit({ family_id: 'F3' })).families, 1);
  assert.equal((await audit({ abstract: 'it does: 3' })).texts, 1);
});

test('vectors of a model rank by cosine, over the rows that have one', async () => {
  const rows = Int32Array.of(7, 2, 9);
  const vectors = Float32Array.of(1, 0, 0.8, 0.6, 0, 2);
  const product: MatrixProduct = {
    async multiply(a, m, b, n, k) {
      return Float32Array.from({ length: m * n }, (_, at) => {
        let sum = 0;
        for (let d = 0; d < k; d++) sum += a[Math.floor(at / n) * k + d]! * b[(at % n) * k + d]!;
        return sum;
      });
    },
    async close() {},
  };
  const ranker = vectorRanker({ rows, vectors, dimensions: 2, product, settings: { model: 'by hand' } });
  const found: number[][] = [];
  for await (const ranking of ranker.rank(Int32Array.of(9, 1, 7), 2)) found.push([...ranking]);
  assert.deepEqual(found, [[9, 2], [], [7, 2]]);
});

test('shuffled pairs: the same texts as often, no true pair left', async (t) => {
  await onDrawn(scratch(t), 12, async (bench, seed) => {
    for (const recipe of ['R1', 'R3', 'R4']) {
      const built = await tryPairs(recipe, bench, { seed });
      if (built === undefined) continue;
      const related = new Relatedness(bench.split, bench.relations, built.labels);
      let shuffled: Awaited<ReturnType<typeof shufflePairs>>;
      try {
        shuffled = shufflePairs(built, { related, split: bench.split, seed });
      } catch (error) {
        assert.equal(code(error), 'pairs.shuffle');
        continue;
      }
      const { pairs, unmended } = shuffled;
      assert.equal(pairs.length + unmended, built.pairs.length);
      for (let i = 0; i < pairs.length; i++) {
        const { anchor, positive } = pairs.at(i);
        assert.ok(!related.related(anchor, positive));
      }
      const side = (table: PairTable) =>
        Array.from(table.positive, (row, i) => `${table.at(i).kind.positiveView} ${row}`).sort();
      if (unmended === 0) assert.deepEqual(side(pairs), side(built.pairs));
      assert.deepEqual(shufflePairs(built, { related, split: bench.split, seed }).pairs.positive, pairs.positive);
      assert.ok((await auditLeakage(pairs, bench)).clean);
    }
  });
});

test('matched plans, and what differs in unmatched ones', async (t) => {
  const home = scratch(t);
  await inventCorpus(home, 'invented', { patents: 150 });
  await withWorkbench(home, 'invented', async (bench) => {
    const split = await splitOf(bench, { by: 'family', seed: 1 });
    const sources = { ...bench, split };
    const recipes = await Promise.all(['R1', 'R2', 'R3', 'R4'].map((name) => buildPairs(name, sources, { seed: 1 })));
    const matched = matchPairs(recipes);
    assert.equal(matched.pairs, Math.min(...recipes.map(({ pairs }) => pairs.length)));
    assert.match(matched.statement, /^Matched data: every recipe trains on \d+ pairs \(R1 has \d+, R2 has/);
    const r4 = matched.recipes[3]!;
    // The cut keeps the proportions of the signals.
    const total = r4.available.reduce((sum, { pairs }) => sum + pairs, 0);
    for (const { signal, pairs } of r4.available) {
      const kept = r4.pairs.counts().reduce((sum, { kind, pairs: own }) => sum + (kind.signal === signal ? own : 0), 0);
      assert.ok(Math.abs(kept - (pairs * matched.pairs) / total) <= 1.5, `${signal}: ${kept}`);
    }
    const options = { split, batchSize: 16, seeds: [1, 2, 3] };
    const plans = matched.recipes.map((recipe) => planTraining(recipe, options));
    requireMatched([...plans, zeroShotPlan(split)]);
    assert.equal(plans[0]!.steps, Math.floor(matched.pairs / 16));
    const other = planTraining(recipes[1]!, { ...options, seeds: [1, 2] });
    assert.deepEqual(
      comparePlans(plans[0]!, other).differences.map(({ field }) => field),
      ['pairs', 'steps', 'seeds'],
    );
    assert.ok(comparePlans(plans[0]!, planTraining(matched.recipes[1]!, { ...options, seeds: [3, 2, 1] })).matched);
    assert.throws(() => requireMatched([plans[0]!, other]), has('plan.unmatched'));
    assert.throws(() => planTraining(recipes[0]!, { ...options, batchSize: 100_000 }), has('plan.batch'));

    const turns = await buildPairs('R4', sources, { seed: 1, mix: 'round-robin', pairs: 60 });
    const bySignal = Object.groupBy(turns.pairs.counts(), ({ kind }) => kind.signal);
    for (const counts of Object.values(bySignal))
      assert.equal(
        counts!.reduce((sum, { pairs }) => sum + pairs, 0),
        20,
      );
    const [text] = await pairTexts(bench.corpus, turns.pairs, [0]);
    const { kind, anchor } = turns.pairs.at(0);
    assert.equal(text!.anchor, viewText(await bench.corpus.get(anchor), kind.anchorView));
  });
});

test('a set of row pairs holds what it was given, either way round', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { maxLength: 400 }), (pairs) => {
      const set = new RowPairSet(4);
      const known = new Set<string>();
      for (const [a, b] of pairs) {
        const name = `${Math.min(a, b)} ${Math.max(a, b)}`;
        assert.equal(set.add(a, b), !known.has(name));
        known.add(name);
      }
    }),
  );
});

test('real: ultrasound split by family and by time; R1 and R3 without a leak', {
  skip: missing('ultrasound_us.jsonl.gz'),
}, async (t) => {
  await withReal(scratch(t), realData('ultrasound_us.jsonl.gz'), async (bench) => {
    const sources = { ...bench, split: await splitOf(bench, { by: 'family', seed: 1 }) };
    const { summary } = sources.split;
    assert.deepEqual(summary.patents, { train: 880, validation: 112, test: 260, dropped: 0 });
    assert.deepEqual(summary.citations, { train: 6858, validation: 119, test: 718, across: 6849 });
    const time = await splitOf(bench, { by: 'time', testFrom: '2005', validationFrom: '2002', acrossBorder: 'drop' });
    assert.deepEqual(time.summary.patents, { train: 944, validation: 100, test: 203, dropped: 5 });
    const whole = await buildRelevance(bench.corpus, bench.relations, { relevance: 'cites', seed: 1 });
    const relevance = relevanceWithin(whole, sources.split);
    for (const [recipe, expected] of [
      ['R1', [6842]],
      ['R3', [764, 828, 718]],
    ] as const) {
      const { pairs } = await buildPairs(recipe, sources, { seed: 1 });
      assert.deepEqual(
        pairs.counts().map((count) => count.pairs),
        expected,
      );
      const audit = await auditLeakage(pairs, { ...sources, relevance, views: ['TA', 'TAC'] });
      assert.ok(audit.clean, leakageTable(audit));
    }
    await assert.rejects(buildPairs('R4', sources, { seed: 1 }), has('recipe.signal'));
  });
});

test('real: R2 on titles of drones, no leak', { skip: missing('drones_title_ipc.jsonl.gz') }, async (t) => {
  await withReal(scratch(t), realData('drones_title_ipc.jsonl.gz'), async (bench) => {
    const sources = { ...bench, split: await splitOf(bench, { by: 'family', seed: 1 }) };
    const { pairs, settings } = await buildPairs('R2', sources, { seed: 1, view: 'T', pairs: 100_000 });
    assert.equal(pairs.length, 100_000);
    assert.deepEqual([settings.labels, settings.level], ['ipc', 'subclass']);
    const audit = await auditLeakage(pairs, sources);
    assert.ok(audit.clean, leakageTable(audit));
    // Fair over anchors: the most prolific has at most a pair more than three rounds would give.
    const perAnchor = new Map<number, number>();
    for (const anchor of pairs.anchor) perAnchor.set(anchor, (perAnchor.get(anchor) ?? 0) + 1);
    assert.ok(Math.max(...perAnchor.values()) <= 4);
    assert.ok(perAnchor.size > 33_000);
  });
});
