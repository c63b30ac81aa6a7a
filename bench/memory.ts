/**
 * The most memory that a process holds while it trains all-MiniLM-L6-v2 (forward, backward, clipping, AdamW; 16 pairs), against
 * PyTorch with transformers on the same batches: each side in a process of its own for each case, weighed by the system
 * (VmHWM: everything, the runtime and its libraries too). `chunks of 8`: GradCache, as `finetune` computes large batches.
 *
 * usage: npm run bench -- memory [pairs=16] [length=128] [threads=2] [chunk=0,8]
 * Needs Linux, PATENTLAB_TEST_MODELS (a folder with all-MiniLM-L6-v2) and the ultrasound data.
 */
import { join } from 'node:path';
import { missing } from '../test/support/data.ts';
import { missingModel, realModel } from '../test/support/models.ts';
import { report } from './support/measurement.ts';
import { batchJob, patentBatches } from './support/patent-batches.ts';
import { lineServer, type Peer, peakMemory, startPeer } from './support/peer.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const pairs = Number(settings.pairs ?? 16);
const length = Number(settings.length ?? 128);
const threads = String(settings.threads ?? 2);
const absent =
  missingModel('all-MiniLM-L6-v2') ||
  missing('ultrasound_us.jsonl.gz') ||
  (process.platform !== 'linux' && 'the peak memory of a process is read from /proc');
if (absent) {
  console.error(absent);
  process.exit(1);
}
const folder = realModel('all-MiniLM-L6-v2');

/** Peak in MB after two steps or more: the optimiser's state is there from the second one on. */
async function weigh(process: Peer, job: ReturnType<typeof batchJob>): Promise<number> {
  for (let steps = 0; steps < 2; steps += job.batches.length) await process.ask(job);
  const bytes = peakMemory(process.pid);
  process.close();
  return bytes / 1e6;
}

const script = join(import.meta.dirname, 'support', 'training-step.ts');
for (const { name, batches, tokens } of await patentBatches(folder, pairs, length)) {
  const job = batchJob(batches);
  const theirs = await weigh(await startPeer('torch_step.py', [folder, threads]), job);
  for (const chunk of String(settings.chunk ?? '0,8').split(',')) {
    const ours = await weigh(await lineServer(process.execPath, [script, folder, threads, chunk]), job);
    report({
      bench: 'memory',
      case: `training steps on ${name}, ${tokens} tokens${chunk === '0' ? '' : `, chunks of ${chunk}`}`,
      ours,
      peer: theirs,
      peerName: 'PyTorch with transformers, whole batch',
      ratio: theirs / ours,
      unit: 'MB at the peak',
    });
  }
}
