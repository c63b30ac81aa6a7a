/**
 * A training's state on disk, from which it goes on bit for bit: weights, both moments of AdamW and the number of updates.
 * Everything else that a step depends on (order of the data, learning rate, random masks) is a function of seed and step.
 *
 *   <folder>/step-00001200.safetensors    weights/…, first/…, second/…
 *   <folder>/records.jsonl                one line a step; only ever added to
 *   <folder>/state.json                   which file is valid, its SHA-256, how far the records are, the settings' hash,
 *                                         what the loop remembers
 *
 * `state.json` is written last and replaces the old one in one move: after a crash at any moment it names a file that is
 * whole, and a length up to which the records are. A tensor file that it does not name is left over from a crash, and removed;
 * records beyond that length are cut off by the next save.
 */
import { z } from 'zod';
import { inputError } from '../base/errors.ts';
import { hashOf, sha256 } from '../base/hash.ts';
import type { Files } from '../base/platform.ts';
import { encodeSafetensors, openSafetensors, readFloat32 } from '../base/safetensors.ts';
import type { Training, TrainingPart } from '../engine/index.ts';

const parts = ['weights', 'first', 'second'] as const satisfies readonly TrainingPart[];

const stateShape = z.object({
  format: z.literal(2),
  step: z.number().int().nonnegative(),
  file: z.string(),
  sha256: z.string(),
  /** Of `records.jsonl`: how many, and their bytes. */
  records: z.object({ count: z.number().int().nonnegative(), bytes: z.number().int().nonnegative() }),
  settings: z.string(),
  memory: z.unknown(),
});

interface SavedState {
  /** Updates made. */
  readonly step: number;
  /** What the loop remembers beside the parameters, as JSON. */
  readonly memory: unknown;
  readonly records: readonly unknown[];
}

const stateFile = 'state.json';
const recordsFile = 'records.jsonl';
const tensorFile = (step: number) => `step-${String(step).padStart(8, '0')}.safetensors`;

export class StateFolder {
  readonly folder: string;
  private readonly files: Files;
  private readonly settings: unknown;
  /** What of the records is on disk. */
  private written = { count: 0, bytes: 0 };

  /** `settings`: everything that a resumed run must share with its beginning. */
  constructor(files: Files, folder: string, settings: unknown) {
    this.files = files;
    this.folder = folder;
    this.settings = settings;
  }

  /** Writes the state of `training` in place of the one before; of `records`, those that are new since. */
  async save(training: Training, memory: unknown, records: readonly unknown[] = []): Promise<void> {
    const { files, folder } = this;
    await files.makeDirectory(folder);
    const step = await training.step();
    const tensors = [];
    for (const part of parts)
      for (const { name, shape } of training.parameters)
        tensors.push({ name: `${part}/${name}`, dtype: 'F32' as const, shape, data: await training.read(part, name) });
    const bytes = encodeSafetensors(tensors);
    const file = tensorFile(step);
    await files.writeAtomic(files.join(folder, file), bytes);
    const { written } = this;
    if (records.length > written.count) {
      const lines = records.slice(written.count).map((record) => `${JSON.stringify(record)}\n`);
      const added = new TextEncoder().encode(lines.join(''));
      await files.writeAfter(files.join(folder, recordsFile), written.bytes, added);
      this.written = { count: records.length, bytes: written.bytes + added.length };
    }
    const state: z.infer<typeof stateShape> = {
      format: 2,
      step,
      file,
      sha256: await sha256(bytes),
      records: this.written,
      settings: await hashOf(this.settings),
      memory,
    };
    await files.writeAtomic(files.join(folder, stateFile), `${JSON.stringify(state, null, 2)}\n`);
    for (const name of await files.list(folder))
      if (name.endsWith('.safetensors') && name !== file) await files.remove(files.join(folder, name));
  }

  /** Puts the saved state into `training`; nothing where there is none. Throws where it is damaged or of other settings. */
  async restore(training: Training): Promise<SavedState | undefined> {
    const { files, folder } = this;
    const path = files.join(folder, stateFile);
    if ((await files.size(path)) === undefined) return undefined;
    const damaged = (found: string) =>
      inputError('the state of the training is damaged', {
        code: 'train.state',
        file: path,
        expected: 'what this version of patentlab wrote',
        found,
        hint: 'train into another folder, or remove this one to begin anew',
      });
    const state = stateShape.safeParse(parse(await files.readText(path)));
    if (!state.success) throw damaged('something else');
    const { step, file, memory } = state.data;
    if (state.data.settings !== (await hashOf(this.settings)))
      throw inputError('the training in this folder was begun with other settings', {
        code: 'train.settings',
        file: folder,
        expected: 'the same model, data and options as at its beginning',
        found: 'others',
        hint: 'train into another folder, or repeat the command that began it',
      });
    const tensorPath = files.join(folder, file);
    if (!/^[\w.-]+$/.test(file) || (await files.size(tensorPath)) === undefined) throw damaged(`no ${file}`);
    if ((await sha256(await files.read(tensorPath))) !== state.data.sha256) throw damaged(`another ${file}`);
    const { count, bytes } = state.data.records;
    const log = bytes === 0 ? new Uint8Array(0) : await this.readLog(bytes);
    const records = new TextDecoder().decode(log).split('\n').slice(0, -1).map(parse);
    if (log.length !== bytes || records.length !== count || records.includes(undefined))
      throw damaged(`another ${recordsFile}`);
    const { tensors } = await openSafetensors(files, tensorPath);
    for (const part of parts)
      for (const { name } of training.parameters) {
        const tensor = tensors.get(`${part}/${name}`);
        if (tensor === undefined) throw damaged(`no ${part} of ${name}`);
        await training.write(part, name, await readFloat32(files, tensor));
      }
    await training.setStep(step);
    this.written = { count, bytes };
    return { step, memory, records };
  }

  private async readLog(bytes: number): Promise<Uint8Array> {
    const path = this.files.join(this.folder, recordsFile);
    return (await this.files.size(path)) === undefined ? new Uint8Array(0) : this.files.readRange(path, 0, bytes);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
