/**
 * 8-bit against float32 inference of all-MiniLM-L6-v2 on real patents: the cosine between the two vectors of each text (1st
 * percentile and median) by view, and the speed ratio. Texts of similar length go together, twelve a batch; the two
 * models take each batch in turn, and the median of the batches' ratios counts.
 *
 * usage: npm run bench -- int8 [texts=all] [threads=all] [view=TA,full]
 * Needs PATENTLAB_TEST_MODELS (a folder with all-MiniLM-L6-v2) and the ultrasound data.
 */
import { nodePlatform } from '../src/base/node/platform.ts';
import { loadModel } from '../src/model/index.ts';
import { missing } from '../test/support/data.ts';
import { cosines } from '../test/support/int8.ts';
import { missingModel, realModel } from '../test/support/models.ts';
import { titleAbstract, ultrasound, wholeText } from '../test/support/texts.ts';
import { median, report } from './support/measurement.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const threads = Number(settings.threads ?? nodePlatform.processors);
const views = String(settings.view ?? 'TA,full').split(',');

const absent = missingModel('all-MiniLM-L6-v2') || missing('ultrasound_us.jsonl.gz');
if (absent) {
  console.error(absent);
  process.exit(1);
}
const folder = realModel('all-MiniLM-L6-v2');
const exact = await loadModel(nodePlatform, folder, { threads });
const int8 = await loadModel(nodePlatform, folder, { dtype: 'int8', threads });
for (const view of views) {
  const all: string[] = [];
  for await (const row of ultrasound()) all.push(view === 'TA' ? titleAbstract(row) : wholeText(row));
  const count = Math.min(all.length, Number(settings.texts ?? all.length));
  const texts = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
  const { sorted, seconds } = await cosines(exact, int8, texts);
  const line = { bench: 'int8', peer: null, peerName: null, ratio: null, unit: 'cosine' };
  const found = `cosine of int8 to float32, ${count} patents`;
  report({ ...line, case: `${view}, 1st percentile of ${found}`, ours: sorted[Math.floor(count / 100)]! });
  report({ ...line, case: `${view}, median ${found}`, ours: sorted[count >> 1]! });
  const steady = seconds.slice(1); // the first batch warms both
  report({
    bench: 'int8',
    case: `${view}, encoding of a batch, ${threads} threads`,
    ours: median(steady.map(([, quick]) => quick)),
    peer: median(steady.map(([slow]) => slow)),
    peerName: 'float32 of the same engine',
    ratio: median(steady.map(([slow, quick]) => slow / quick)),
    unit: 's',
  });
}
await exact.close();
await int8.close();
