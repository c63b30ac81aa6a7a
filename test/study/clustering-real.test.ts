/** Clustering of real titles by IPC subclass: drones, a sample. */
import assert from 'node:assert/strict';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { createGunzip } from 'node:zlib';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { importCorpus } from '../../src/corpus/import.ts';
import { clusteringMetrics } from '../../src/metrics/clustering.ts';
import { ClusteringStore } from '../../src/study/clustering/cell.ts';
import { evaluate } from '../../src/study/evaluate.ts';
import { missing, realData } from '../support/data.ts';
import { scratch } from '../support/scratch.ts';

const file = 'drones_title_ipc.jsonl.gz';

test('titles fall into clusters that tell more of their subclass than chance does', {
  skip: missing(file),
}, async (t) => {
  const home = scratch(t);
  const path = join(home, 'drones.jsonl');
  const lines: string[] = [];
  let line = 0;
  // A spread of the file, which is not in random order.
  for await (const text of createInterface({ input: createReadStream(realData(file)).pipe(createGunzip()) }))
    if (line++ % 100 === 0) lines.push(text);
  writeFileSync(path, `${lines.join('\n')}\n`);
  await importCorpus({ home, name: 'drones', paths: [path], map: { ipc: 'ipcr', id: 'lens_id' } });
  const { results } = await evaluate({
    platform: nodePlatform,
    home,
    corpora: ['drones'],
    tasks: ['clustering'],
    models: ['lsa'],
    views: ['T'],
    labels: { field: 'ipc', level: 'subclass', least: 8 },
    lsaDimensions: 64,
    resamples: 100,
    threads: 2,
  });
  const { cells, cards } = results.clustering!;
  const [cell] = cells;
  const [card] = cards;
  assert.equal(card!.documents.all, lines.length);
  assert.equal(card!.documents.several, 0, 'each names a first code');
  assert.ok(card!.alphabetical! < 0.9, 'codes are in an order of their own');
  assert.ok(card!.labels.dropped > card!.labels.kept, 'most subclasses are small');
  const stored = (await new ClusteringStore(home, 'evaluate-drones').load(cell!.manifest.cell))!;
  const names = [...new Set(stored.truth)];
  const truth = Int32Array.from(stored.truth, (name) => names.indexOf(name));
  const shuffled = stream(1, 'chance').shuffle(Array.from(stored.assigned[0]!));
  const chance = clusteringMetrics(truth, shuffled);
  assert.ok(Math.abs(chance.ami) < 0.05, `${chance.ami}`);
  for (const [metric, measure] of [['v-measure', 'vMeasure'], ['ami', 'ami'], ['purity', 'purity']] as const)
    assert.ok(cell!.metrics[metric]!.lower > chance[measure], metric); // biome-ignore format: one line
  assert.ok(cell!.metrics.purity!.value > card!.sizes.largest / card!.documents.kept, 'purer than one cluster');
  assert.ok(cell!.map!.trustworthiness > 0.6, `${cell!.map!.trustworthiness}`);
});
