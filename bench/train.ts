/**
 * A training step of all-MiniLM-L6-v2 (forward, backward, clipping, AdamW; 16 pairs) against PyTorch with transformers on the
 * same cores, in turn: on sequences of one length, and on title and abstract of real patents, whose lengths differ.
 *
 * usage: npm run bench -- train [rounds=5] [threads=1,2] [pairs=16] [length=128]
 * Needs PATENTLAB_TEST_MODELS (a folder with all-MiniLM-L6-v2) and the ultrasound data.
 */
import { missing } from '../test/support/data.ts';
import { missingModel, realModel } from '../test/support/models.ts';
import { median, report } from './support/measurement.ts';
import { batchJob, patentBatches } from './support/patent-batches.ts';
import { startPeer } from './support/peer.ts';
import { openTrainingStep } from './support/training-step.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const rounds = Number(settings.rounds ?? 5);
const pairs = Number(settings.pairs ?? 16);
const length = Number(settings.length ?? 128);
const absent = missingModel('all-MiniLM-L6-v2') || missing('ultrasound_us.jsonl.gz');
if (absent) {
  console.error(absent);
  process.exit(1);
}
const folder = realModel('all-MiniLM-L6-v2');
const cases = await patentBatches(folder, pairs, length);
for (const threads of String(settings.threads ?? '1,2')
  .split(',')
  .map(Number)) {
  const peer = await startPeer('torch_step.py', [folder, String(threads)]);
  const ours = await openTrainingStep(folder, threads);
  for (const { name, batches, tokens } of cases) {
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round <= rounds; round++) {
      const own: number[] = [];
      for (const batch of batches) own.push(await ours.seconds(batch));
      const theirs = await peer.ask(batchJob(batches));
      if (round === 0) continue; // both warm up
      times[0].push(median(own));
      times[1].push(theirs);
    }
    report({
      bench: 'train',
      case: `step on ${name}, ${tokens} tokens, ${threads} threads`,
      ours: median(times[0]),
      peer: median(times[1]),
      peerName: 'PyTorch with transformers',
      ratio: median(times[1]) / median(times[0]),
      unit: 's',
    });
  }
  await ours.close();
  peer.close();
}
