/** `patentlab doctor`: what is installed, what lies under --home and how large it is, and what is wrong with it. */
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, freemem, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { lockState } from '../base/node/lock.ts';
import { packageVersion } from '../base/node/version.ts';
import { listCorpora, openCorpus } from '../corpus/store.ts';
import { listModels, verifyFiles } from '../hub/models.ts';
import type { CliContext } from './context.ts';
import { type DeviceState, probeDevices } from './devices.ts';
import { leftovers, treeSize } from './home.ts';
import { type Runner, withExample } from './main.ts';

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('doctor')
      .description('What is installed, what is stored and how large it is, and what is wrong')
      .option('--verify', 'read every stored file and compare it with its hash')
      .action(run(doctor)),
    'patentlab doctor --verify',
  );
}

interface Finding {
  what: string;
  hint: string;
}

async function doctor(context: CliContext, options: { verify?: boolean }): Promise<void> {
  const { home } = context;
  const findings: Finding[] = [];
  const runtime = versionOf('onnxruntime-node');
  const devices = await probeDevices();
  const backends = devices.filter(({ works }) => works).map(({ device }) => device);
  const cpu = devices.find(({ device }) => device === 'cpu')!;
  if (!cpu.works) {
    findings.push({
      what: `ONNX Runtime does not run (${cpu.reason}): bm25 does, what needs vectors does not`,
      hint: 'install the packages again: `npm ci` in a checkout, `npm install patentlab` elsewhere',
    });
  }
  const sizes = await Promise.all(
    ['corpora', 'vectors', 'models', 'datasets', 'runs'].map(async (part) => ({
      part,
      ...(await treeSize(join(home, part))),
    })),
  );
  const corpora = await listCorpora(home);
  for (const { name } of corpora) {
    try {
      const corpus = await openCorpus(home, name);
      if (options.verify) await corpus.verify();
      await corpus.close();
    } catch (error) {
      findings.push({ what: `corpus ${name}: ${(error as Error).message}`, hint: 'import it again' });
    }
  }
  const models = await listModels(home);
  if (options.verify) {
    for (const { id, folder } of models) {
      const { damaged } = await verifyFiles(folder);
      for (const { file } of damaged) {
        findings.push({
          what: `model ${id}: ${file} is not what was downloaded`,
          hint: `remove ${folder} and get it again`,
        });
      }
    }
  }
  for (const path of await leftovers(home)) {
    findings.push({
      what: `left over from an interrupted run: ${path}`,
      hint: 'patentlab clean removes it (a download goes on from it)',
    });
  }
  for (const name of await readdir(join(home, 'corpora')).catch(() => [] as string[])) {
    if (!name.endsWith('.lock')) continue;
    const state = await lockState(join(home, 'corpora', name));
    if (state === 'stale')
      findings.push({
        what: `lock ${name} of a process that is gone`,
        hint: 'nothing to do: the next import takes it over',
      });
  }
  const facts = {
    patentlab: packageVersion(),
    node: process.version,
    onnxruntime: runtime ?? 'missing',
    backends,
    devices,
    processor: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} logical`,
    memory: { total: totalmem(), free: freemem() },
    home: resolve(home),
    stored: sizes,
    corpora: corpora.length,
    models: models.map(({ id }) => id),
    findings,
  };
  context.printJson(facts);
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  context.print(
    [
      `patentlab ${facts.patentlab}, Node ${facts.node}, ONNX Runtime ${facts.onnxruntime}`,
      ...devices.map(deviceLine),
      `${facts.processor}; memory ${gigabytes(facts.memory.total)}, ${gigabytes(facts.memory.free)} free`,
      `home: ${facts.home}`,
      ...sizes.map(({ part, bytes, files }) => `  ${part.padEnd(8)} ${megabytes(bytes).padStart(10)}  ${files} files`),
      `${facts.corpora} corpora; models: ${facts.models.join(', ') || 'none'}`,
      ...(findings.length === 0 ? ['nothing wrong'] : findings.map(({ what, hint }) => `- ${what}\n  to do: ${hint}`)),
    ].join('\n'),
  );
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function versionOf(name: string): string | undefined {
  try {
    const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
  } catch {
    return undefined;
  }
}

function deviceLine({ device, works, reason, needs }: DeviceState): string {
  const name = `  ${device.padEnd(8)}`;
  return works ? `${name} works` : `${name} not here: ${reason}\n  ${' '.repeat(9)}needs ${needs}`;
}
