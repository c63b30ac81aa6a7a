import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PatentlabError } from '../../src/base/errors.ts';
import { buildRelevance } from '../../src/corpus/relevance.ts';
import { relevanceWithin } from '../../src/corpus/split-relevance.ts';
import { type SplitOptions, splitCorpus, splitParts } from '../../src/corpus/splits.ts';
import { normaliseText, printedSections, printOf } from '../../src/corpus/text-prints.ts';
import { viewText } from '../../src/corpus/views.ts';
import { scratch } from '../support/scratch.ts';
import { drawnRows, idAt, splitOf, type Workbench, withRows } from '../tune/support.ts';

const isEmpty = (error: unknown) => (error as PatentlabError).code === 'split.empty';

/** Runs `use` unless the draw left a part empty. */
async function trySplit(bench: Workbench, options: SplitOptions) {
  try {
    return await splitOf(bench, options);
  } catch (error) {
    if (isEmpty(error)) return undefined;
    throw error;
  }
}

const splitOptions: fc.Arbitrary<SplitOptions> = fc.oneof(
  fc.record({ by: fc.constant('family' as const), seed: fc.nat(1000), test: fc.constantFrom(0.2, 0.4) }),
  fc.record({
    by: fc.constant('time' as const),
    testFrom: fc.constantFrom('2005', '2005-06', '2005-06-01'),
    validationFrom: fc.constantFrom('1998', '2001-01-01'),
    acrossBorder: fc.constantFrom('earlier' as const, 'drop' as const),
  }),
);

test('families and equal texts never come apart; every patent and citation is counted', async (t) => {
  const home = scratch(t);
  let splits = 0;
  await fc.assert(
    fc.asyncProperty(drawnRows, splitOptions, (rows, options) =>
      withRows(home, rows, async (bench) => {
        const split = await trySplit(bench, options);
        if (split === undefined) return;
        splits++;
        const { corpus, relations } = bench;
        const partOf = new Map<string, number>();
        const together = (name: string, row: number) => {
          const known = partOf.get(name) ?? split.part[row]!;
          assert.equal(split.part[row], known, `${name} is in two parts`);
          partOf.set(name, known);
        };
        let row = 0;
        for await (const patent of corpus.records()) {
          together(`family ${relations.family[row]}`, row);
          together(`group ${split.group[row]}`, row);
          for (const section of printedSections.slice(1)) {
            const text = normaliseText(patent[section] ?? '');
            if (text.length >= 100) together(`${section} ${text}`, row);
          }
          together(`whole ${normaliseText(viewText(patent, 'full'))}`, row);
          row++;
        }
        const { patents, citations, dropped } = split.summary;
        assert.equal(
          Object.values(patents).reduce((a, b) => a + b),
          corpus.size,
        );
        assert.equal(
          dropped.reduce((sum, drop) => sum + drop.patents, 0),
          patents.dropped,
        );
        const edges = new Set<string>();
        for (const [at, source] of rows.entries()) {
          const exists = (id: string) => corpus.row(id) !== undefined;
          for (const to of source.cites as string[]) if (exists(to)) edges.add(`${idAt(at)} ${to}`);
          for (const from of source.citedBy as string[]) if (exists(from)) edges.add(`${from} ${idAt(at)}`);
        }
        const across = [...edges].filter((edge) => {
          const [a, b] = edge.split(' ').map((id) => split.part[corpus.row(id)!]);
          return a !== b;
        });
        assert.equal(citations.across, across.length);
      }),
    ),
    { numRuns: 25 },
  );
  assert.ok(splits > 10, `only ${splits} splits could be made`);
});

test('the order of import changes nothing', async (t) => {
  const home = scratch(t);
  await fc.assert(
    fc.asyncProperty(drawnRows, splitOptions, async (rows, options) => {
      const parts = async (given: typeof rows) =>
        await withRows(home, given, async (bench) => {
          const split = await trySplit(bench, options);
          return split && Object.fromEntries(rows.map((_, at) => [idAt(at), split.part[bench.corpus.row(idAt(at))!]]));
        });
      assert.deepEqual(await parts([...rows].reverse()), await parts(rows));
    }),
    { numRuns: 8 },
  );
});

test('a family stays in its part when others come, and another seed moves families', async (t) => {
  const home = scratch(t);
  const rows = Array.from({ length: 60 }, (_, at) => ({
    id: idAt(at),
    title: `Thing number ${at}`,
    family_id: `F${at}`,
  }));
  const parts = (count: number, seed: number) =>
    withRows(home, rows.slice(0, count), async (bench) => [
      ...(await splitOf(bench, { by: 'family', seed, test: 0.3 })).part,
    ]);
  const [some, all, other] = [await parts(40, 1), await parts(60, 1), await parts(60, 2)];
  assert.deepEqual(some, all.slice(0, 40));
  assert.notDeepEqual(other, all);
});

test('time: a family across the border goes to the earlier side, or is dropped', async (t) => {
  const rows = [
    { id: idAt(0), title: 'one', family_id: 'F', publication_date: '1999-12-31' },
    { id: idAt(1), title: 'two', family_id: 'F', publication_date: '2001-01-01' },
    { id: idAt(2), title: 'three', family_id: 'F' },
    { id: idAt(3), title: 'four', publication_date: '1990-01-01' },
    { id: idAt(4), title: 'five', publication_date: '2000-01-01' },
    { id: idAt(5), title: 'six' },
  ];
  await withRows(scratch(t), rows, async (bench) => {
    const earlier = await splitOf(bench, { by: 'time', testFrom: '2000' });
    assert.deepEqual([...earlier.part].map((part) => splitParts[part]), [
      'train', 'train', 'train', 'train', 'test', 'dropped',
    ]); // biome-ignore format: one row a patent
    assert.equal(earlier.summary.movedEarlier, 1);
    assert.deepEqual(earlier.summary.dropped, [{ reason: 'no date', patents: 1 }]);
    const drop = await splitOf(bench, { by: 'time', testFrom: '2000', acrossBorder: 'drop' });
    assert.deepEqual([...drop.part].map((part) => splitParts[part]), [
      'dropped', 'dropped', 'dropped', 'train', 'test', 'dropped',
    ]); // biome-ignore format: one row a patent
    assert.equal(drop.summary.patents.dropped, 4);
  });
});

test('wrong options are named', async (t) => {
  await withRows(scratch(t), [{ id: idAt(0), title: 'one', publication_date: '1999' }], async ({ corpus }) => {
    const fails = (options: SplitOptions, code: string) =>
      assert.rejects(splitCorpus(corpus, options), (error: unknown) => (error as PatentlabError).code === code);
    await fails({ by: 'family', seed: 1, test: 0.9, validation: 0.1 }, 'split.shares');
    await fails({ by: 'family', seed: 1, test: -1 }, 'split.shares');
    await fails({ by: 'time', testFrom: 'soon' }, 'split.date');
    await fails({ by: 'time', testFrom: '2000', validationFrom: '2001' }, 'split.date');
    await fails({ by: 'time', testFrom: '2000' }, 'split.empty');
    await fails({ by: 'family', seed: 1 }, 'split.empty');
  });
});

test('prints: equal exactly where the bare letters and digits are', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'A', 'b', ' ', '.', 'é', 'É', 'ﬁ', '1', '\u00a0', '漢') }),
      fc.string({ unit: fc.constantFrom('a', 'B', 'b', ' ', ',', 'é', 'f', 'i', '1', '漢') }),
      (a, b) => {
        assert.equal(printOf(a).letters, normaliseText(a).length);
        assert.equal(
          normaliseText(a) === normaliseText(b),
          printOf(a).low === printOf(b).low && printOf(a).high === printOf(b).high,
        );
      },
    ),
  );
});

test('relevance within a part: queries, relevant and findable documents are of the part', async (t) => {
  const home = scratch(t);
  await fc.assert(
    fc.asyncProperty(drawnRows, fc.nat(100), (rows, seed) =>
      withRows(home, rows, async (bench) => {
        const split = await trySplit(bench, { by: 'family', seed, test: 0.5 });
        if (split === undefined) return;
        const { corpus, relations } = bench;
        const whole = await buildRelevance(corpus, relations, { relevance: 'both', seed: 1 }).catch(() => undefined);
        if (whole === undefined) return;
        const own = relevanceWithin(whole, split);
        let relevant = 0;
        for (const [query, { row }] of own.queries.entries()) {
          assert.equal(split.part[row!], 2);
          for (const document of own.judged[query]!.rows) assert.equal(split.part[document], 2);
          relevant += own.judged[query]!.rows.length;
          for (let document = 0; document < corpus.size; document++)
            assert.equal(own.documentDay![document]! < own.queryDay![query]!, split.part[document] === 2);
        }
        let expected = 0;
        for (const [query, { row }] of whole.queries.entries())
          if (split.part[row!] === 2) expected += whole.judged[query]!.rows.length;
        assert.equal(relevant + own.removed, expected);
      }),
    ),
    { numRuns: 10 },
  );
});
