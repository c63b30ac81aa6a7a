/** trec_eval's own test files: every line that it prints, equal to four decimals. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { trecMeasures } from '../../src/metrics/measure.ts';
import { scoreRun, summary, topicValues } from '../../src/metrics/score.ts';
import { readJudgements, readRun } from '../../src/metrics/trec.ts';
import { missing, realData } from '../support/data.ts';

const text = (name: string) => readFileSync(realData(`trec_eval/${name}`), 'utf8');

const cases = [
  { printed: 'out.test.a', run: 'results.test', options: {}, lines: 99 },
  { printed: 'out.test.aq', run: 'results.test', options: {}, lines: 387 },
  { printed: 'out.test.aqcM', run: 'results.trunc', options: { complete: true, maxDocs: 100 }, lines: 387 },
] as const;

for (const { printed, run: file, options, lines } of cases) {
  const needed = [printed, file, 'qrels.test'].map((name) => `trec_eval/${name}`);
  test(`${printed}: all ${lines} lines`, { skip: missing(...needed) }, async () => {
    const judgements = await readJudgements([text('qrels.test')], { file: 'qrels.test' });
    const { run, tag } = await readRun([text(file)], { file });
    const scores = scoreRun(judgements, run, trecMeasures, { ...options, relevanceStrings: true });
    const all: Record<string, string | number> = { runid: tag, ...summary(scores) };
    let compared = 0;
    for (const line of text(printed).split('\n').filter(Boolean)) {
      const [name, topic, value] = line.split('\t').map((field) => field.trim()) as [string, string, string];
      const ours = topic === 'all' ? all[name] : topicValues(scores, scores.topics.indexOf(topic))[name];
      const shown =
        typeof ours === 'number'
          ? ours.toFixed(value.includes('.') ? 4 : 0)
          : name === 'relstring'
            ? `'${ours}'`
            : ours;
      assert.equal(shown, value, `${name} of ${topic}`);
      compared++;
    }
    assert.equal(compared, lines);
  });
}
