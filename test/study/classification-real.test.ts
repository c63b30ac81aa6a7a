/** Classification of real titles by IPC subclass: drones, a sample. */
import assert from 'node:assert/strict';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { createGunzip } from 'node:zlib';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { importCorpus } from '../../src/corpus/import.ts';
import { multilabelMetrics } from '../../src/metrics/multilabel.ts';
import { ClassificationStore } from '../../src/study/classification/cell.ts';
import { classifierName } from '../../src/study/classification/results.ts';
import { evaluate } from '../../src/study/evaluate.ts';
import { missing, realData } from '../support/data.ts';
import { scratch } from '../support/scratch.ts';

const file = 'drones_title_ipc.jsonl.gz';

test('titles tell more of their subclass than the commonest labels do, and more of the section', {
  skip: missing(file),
}, async (t) => {
  const home = scratch(t);
  const path = join(home, 'drones.jsonl');
  const lines: string[] = [];
  let line = 0;
  // A spread of the file, which is not in random order.
  for await (const text of createInterface({ input: createReadStream(realData(file)).pipe(createGunzip()) }))
    if (line++ % 40 === 0) lines.push(text);
  writeFileSync(path, `${lines.join('\n')}\n`);
  await importCorpus({ home, name: 'drones', paths: [path], map: { ipc: 'ipcr', id: 'lens_id' } });
  const { results } = await evaluate({
    platform: nodePlatform,
    home,
    corpora: ['drones'],
    tasks: ['classification'],
    models: ['bm25', 'lsa'],
    views: ['T'],
    labels: { field: 'ipc', level: 'subclass', least: 20 },
    lsaDimensions: 64,
    resamples: 300,
    threads: 2,
  });
  const { cells, labelCards } = results.classification!;
  const [card] = labelCards;
  assert.equal(card!.documents.all, 1222);
  assert.equal(card!.kind, 'multi-label');
  assert.ok(card!.labels.rare > card!.labels.kept, 'most subclasses are rare');
  const stored = (await new ClassificationStore(home, 'evaluate-drones').load(cells[0]!.manifest.cell))!;
  // All documents get the commonest label.
  const commonest = cells[0]!.perLabel.reduce(
    (best, row, label) => (row.train > cells[0]!.perLabel[best]!.train ? label : best),
    0,
  );
  const documents = stored.truth.offsets.length - 1;
  const naive = multilabelMetrics(
    stored.truth,
    {
      offsets: Uint32Array.from({ length: documents + 1 }, (_, i) => i),
      codes: new Int32Array(documents).fill(commonest),
    },
    cells[0]!.labels,
  );
  for (const cell of cells) {
    const name = classifierName(cell);
    assert.ok(cell.metrics['micro-f1-shared']!.lower > naive.f1Micro, `${name} micro-F1`);
    // Each rule serves its own measure.
    for (const rule of ['', '-tuned'])
      assert.ok(
        cell.metrics['micro-f1-shared']!.value >= cell.metrics[`micro-f1${rule}`]!.value - 0.01,
        `${name}${rule}`,
      );
    assert.ok(cell.metrics['macro-f1-tuned']!.lower > naive.f1Macro, `${name} macro-F1`);
    const [section] = cell.levels.filter(({ level, thresholds }) => level === 'section' && thresholds === 'shared');
    assert.ok(
      section!.microF1.value > cell.metrics['micro-f1-shared']!.value,
      `${name}: a section is easier than a subclass`,
    );
    assert.ok(cell.convergence?.converged ?? true, name);
  }
});
