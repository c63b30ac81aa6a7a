/** IN and OUT of domain: a corpus small enough to do by hand, and an invented landscape measured again from its exported files. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { classesOf, judgementDomains } from '../../src/corpus/domains.ts';
import { openCorpus } from '../../src/corpus/store.ts';
import { parseMetric } from '../../src/metrics/measure.ts';
import { scoreRun, summary } from '../../src/metrics/score.ts';
import { readJudgements, readRun } from '../../src/metrics/trec.ts';
import type { FinishedCell } from '../../src/study/cell.ts';
import { openForStudy } from '../../src/study/corpus-under-study.ts';
import { domainStrata, domainsOf } from '../../src/study/domain-strata.ts';
import { evaluate } from '../../src/study/evaluate.ts';
import { systemName } from '../../src/study/results.ts';
import { importRows, row } from '../corpus/store-support.ts';
import { inventCorpus } from '../support/invent.ts';

const home = mkdtempSync(join(tmpdir(), 'patentlab-domains-'));
after(() => rmSync(home, { recursive: true, force: true }));

test('three characters of a symbol, whatever its level', () => {
  assert.deepEqual(classesOf(['A61B8/08', 'A61H3/04', 'G06F', 'B25', 'H', 'Y02E10/50']), ['A61', 'G06', 'B25', 'Y02']);
});

/** Four queries with codes, one without; two cited documents in either domain. */
const patents = [
  row('US1000001A', { ipc: ['A61B8/08'], cites: ['US2000001A', 'US2000002A'] }),
  row('US1000002A', { ipc: ['B25J15/12'], cites: ['US2000003A'] }),
  row('US1000003A', { ipc: ['G06T1/00'], cites: ['US2000001A'] }),
  row('US1000004A', { cites: ['US2000002A'] }),
  row('US1000005A', { cpc: ['A61F9/08'], cites: ['US2000001A'] }),
  row('US2000001A', { ipc: ['A61H3/04', 'B62B5/04'] }),
  row('US2000002A', { ipc: ['G10L21/02'], cpc: ['A61B8/08'] }),
  row('US2000003A', { ipc: ['B25J1/04'] }),
];

test('by hand: who is in which domain, means, drops, and what fusion does', async () => {
  await importRows(home, patents, { name: 'hand' });
  const study = await openForStudy(home, 'hand', { relevance: 'cites', seed: 1 });
  try {
    const { corpus, relevance } = study;
    const domains = (await judgementDomains(corpus, relevance))!;
    assert.deepEqual(
      relevance.queries.map(({ id }, query) => [id, domains.of[query]]),
      [
        ['US1000001A', ['in', 'out']], // A61 is shared; G10 is not, and US2000002A has IPC, so that its CPC does not count
        ['US1000002A', ['in']],
        ['US1000003A', ['out']],
        ['US1000004A', [undefined]],
        ['US1000005A', ['in']], // placed by its CPC
      ],
    );
    assert.deepEqual(domains.judgements, { in: 3, out: 2, unknown: 1 });
    assert.deepEqual(domains.patents, { ipc: 6, cpc: 1, none: 1 });

    const at = (id: string) => corpus.row(id)!;
    const ranking = (...ids: string[]) => ({
      rows: Int32Array.from(ids, at),
      scores: Float32Array.from(ids, (_, i) => 1 - i / 10),
    });
    const [d1, d2, d3] = ['US2000001A', 'US2000002A', 'US2000003A'];
    const rankings = {
      bm25: [ranking(d1, d2), ranking(d1, d3), ranking(d2, d1), ranking(d1), ranking(d1)],
      lsa: [ranking(d3, d1), ranking(d3), ranking(d3, d2, d1), ranking(d1), ranking(d1)],
      'bm25+lsa (linear)': [ranking(d2, d1), ranking(d3), ranking(d1), ranking(d1), ranking(d1)],
    };
    const cell = (model: string, fuse?: string) =>
      ({ manifest: { model, ...(fuse === undefined ? {} : { fuse }) } }) as unknown as FinishedCell;
    const systems = [
      { name: 'bm25', cell: cell('bm25') },
      { name: 'lsa', cell: cell('lsa') },
      { name: 'bm25+lsa (linear)', cell: cell('bm25+lsa', 'linear') },
    ];
    const [result, deep] = await domainStrata(
      study,
      domains,
      'TA',
      systems,
      async ({ name }) => rankings[name as keyof typeof rankings],
      { margin: 0.01, seed: 1, resamples: 500 },
    );
    assert.equal(result!.metric, 'ndcg@10');
    assert.equal(deep!.metric, 'ndcg@100');
    assert.deepEqual(result!.queries, { in: 3, out: 2, both: 1 });
    const second = 1 / Math.log2(3);
    const third = 1 / 2;
    const near = (a: number, b: number, what: string) =>
      assert.ok(Math.abs(a - b) < 1e-12, `${what}: ${a} is not ${b}`);
    const expected = {
      // values of q1, q2, q5 over IN; of q1, q3 over OUT
      bm25: { in: [1, second, 1], out: [second, second] },
      lsa: { in: [second, 1, 1], out: [0, third] },
      'bm25+lsa (linear)': { in: [second, 1, 1], out: [1, 1] },
    };
    const drops: Record<string, number> = {};
    for (const [name, values] of Object.entries(expected)) {
      const [inside, outside] = [values.in, values.out].map((list) => list.reduce((a, b) => a + b, 0) / list.length) as [number, number]; // biome-ignore format: both
      const estimates = result!.systems[name]!;
      near(estimates.in.value, inside, `${name} IN`);
      near(estimates.out.value, outside, `${name} OUT`);
      drops[name] = (inside - outside) / inside;
      near(estimates.drop.value, drops[name]!, `${name} drop`);
      near(estimates.dropOfBoth!.value, 1 - values.out[0]! / values.in[0]!, `${name} drop of q1`);
      assert.ok(Number.isNaN(estimates.dropOfBoth!.lower), 'one query has no interval');
    }
    const [fusion] = result!.fusions;
    assert.deepEqual([fusion!.fused, fusion!.dense, fusion!.bm25], ['bm25+lsa (linear)', 'lsa', 'bm25']);
    near(fusion!.dropDifference.value, drops['bm25+lsa (linear)']! - drops.lsa!, 'what fusion does to the drop');
    const pair = result!.outPairs.find(({ a, b }) => a === 'lsa' && b === 'bm25+lsa (linear)')!;
    near(pair.difference, third / 2 - 1, 'OUT, lsa against fused');
    assert.equal(pair.queries, 2);
  } finally {
    await study.corpus.close();
  }
});

test('what is wanting is said by name', async () => {
  const reason = async (name: string, rows: Parameters<typeof importRows>[1]) => {
    await importRows(home, rows, { name, source: `${name}.jsonl` });
    const study = await openForStudy(home, name, { relevance: 'cites', seed: 1 });
    const domains = await domainsOf(study);
    await study.corpus.close();
    return domains;
  };
  const codeless = patents.map(({ ipc: _, cpc: __, ...rest }) => row(rest.id as string, rest));
  assert.equal(await reason('codeless', codeless), 'no patent of the corpus has an IPC or CPC code');
  const alike = codeless.map((patent) => ({ ...patent, ipc: ['A61B8/08'] }));
  assert.equal(await reason('alike', alike), 'every relevant document shares a three-character class with its query');
  const cited = codeless.map((patent) =>
    String(patent.id).startsWith('US2') ? { ...patent, ipc: ['A61B8/08'] } : patent,
  );
  assert.equal(await reason('cited', cited), 'no query and its relevant documents have IPC or CPC codes both');
});

test('an invented landscape: each domain as its exported run scores against its own judgements', async () => {
  await inventCorpus(home, 'devices', { patents: 150 });
  const { results, folder } = await evaluate({
    platform: nodePlatform,
    home,
    corpora: ['devices'],
    models: ['bm25', 'lsa'],
    fuse: ['linear'],
    lsaDimensions: 24,
    depth: 150,
    resamples: 200,
  });
  const corpus = await openCorpus(home, 'devices');
  const classes = new Map<string, Set<string>>();
  for await (const { id, ipc } of corpus.records()) classes.set(id, new Set(ipc.map((symbol) => symbol.slice(0, 3))));
  await corpus.close();
  const lines = readFileSync(join(folder, 'trec', 'devices.qrels'), 'utf8')
    .trim()
    .split('\n');
  assert.ok(!results.absentStrata.some(({ by }) => by === 'domain'));
  for (const domain of ['in', 'out'] as const) {
    const kept = lines.filter((line) => {
      const [query, , document] = line.split(' ') as [string, string, string];
      const shares = [...classes.get(query)!].some((name) => classes.get(document)!.has(name));
      return shares === (domain === 'in');
    });
    assert.ok(kept.length > 50, `${domain}: the landscape has ${kept.length}`);
    const judged = await readJudgements([`${kept.join('\n')}\n`], { file: 'devices.qrels' });
    for (const cell of results.cells) {
      const file = cell.files.run!;
      const { run } = await readRun([gunzipSync(readFileSync(join(folder, file))).toString()], { file });
      const names = ['ndcg@10', 'ndcg@100'];
      const means = Object.values(summary(scoreRun(judged, run, names.map(parseMetric), { complete: true }))).map(
        Number,
      );
      for (const [i, metric] of names.entries()) {
        const result = results.domains.find((one) => one.metric === metric)!;
        assert.equal(result.judgements[domain], kept.length);
        assert.equal(result.queries[domain], judged.size);
        const { value } = result.systems[systemName(cell)]![domain];
        assert.ok(Math.abs(value - means[i]!) < 1e-9, `${domain} ${systemName(cell)} ${value} ${means[i]}`);
      }
    }
  }
});
