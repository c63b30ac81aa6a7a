/**
 * A training's state on disk, from which it goes on bit for bit: weights, both moments of AdamW and the number of updates.
 * Everything else that a step depends on (order of the data, learning rate, random masks) is a function of seed and step.
 *
 *   <folder>/step-00001200.safetensors    weights/…, first/…, second/…
 *   <folder>/state.json                   which file is valid, its SHA-256, the settings' hash, what the loop remembers
 *
 * `state.json` is written last and replaces the old one in one move: after a crash at any moment it names a file that is
 * whole. A file that it does not name is left over from a crash, and removed.
 */
import { z } from 'zod';
import { inputError } from '../base/errors.ts';
import { hashOf, sha256 } from '../base/hash.ts';
import type { Files } from '../base/platform.ts';
import { encodeSafetensors, openSafetensors, readFloat32 } from '../base/safetensors.ts';
import type { Training, TrainingPart } from '../engine/index.ts';

const parts = ['weights', 'first', 'second'] as const satisfies readonly TrainingPart[];

const stateShape = z.object({
  format: z.literal(1),
  step: z.number().int().nonnegative(),
  file: z.string(),
  sha256: z.string(),
  settings: z.string(),
  memory: z.unknown(),
});

export interface SavedState {
  /** Updates made. */
  readonly step: number;
  /** What the loop remembers beside the parameters, as JSON. */
  readonly memory: unknown;
}

const stateFile = 'state.json';
const tensorFile = (step: number) => `step-${String(step).padStart(8, '0')}.safetensors`;

/** Writes the state of `training` in place of the one before. `settings`: everything that a resumed run must share. */
export async function saveState(
  files: Files,
  folder: string,
  training: Training,
  settings: unknown,
  memory: unknown,
): Promise<void> {
  await files.makeDirectory(folder);
  const step = await training.step();
  const tensors = [];
  for (const part of parts)
    for (const { name, shape } of training.parameters)
      tensors.push({ name: `${part}/${name}`, dtype: 'F32' as const, shape, data: await training.read(part, name) });
  const bytes = encodeSafetensors(tensors);
  const file = tensorFile(step);
  await files.writeAtomic(files.join(folder, file), bytes);
  const state = { format: 1, step, file, sha256: await sha256(bytes), settings: await hashOf(settings), memory };
  await files.writeAtomic(files.join(folder, stateFile), `${JSON.stringify(state, null, 2)}\n`);
  for (const name of await files.list(folder))
    if (name.endsWith('.safetensors') && name !== file) await files.remove(files.join(folder, name));
}

/** Puts the state of `folder` into `training`; nothing where there is none. Throws where it is damaged or of other settings. */
export async function restoreState(
  files: Files,
  folder: string,
  training: Training,
  settings: unknown,
): Promise<SavedState | undefined> {
  const path = files.join(folder, stateFile);
  if ((await files.size(path)) === undefined) return undefined;
  const damaged = (found: string) =>
    inputError('the state of the training is damaged', {
      code: 'train.state',
      file: path,
      expected: 'what the training wrote',
      found,
      hint: 'train into another folder, or remove this one to begin anew',
    });
  const state = stateShape.safeParse(parse(await files.readText(path)));
  if (!state.success) throw damaged('something else');
  const { step, file, memory } = state.data;
  if (state.data.settings !== (await hashOf(settings)))
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
  const { tensors } = await openSafetensors(files, tensorPath);
  for (const part of parts)
    for (const { name } of training.parameters) {
      const tensor = tensors.get(`${part}/${name}`);
      if (tensor === undefined) throw damaged(`no ${part} of ${name}`);
      await training.write(part, name, await readFloat32(files, tensor));
    }
  await training.setStep(step);
  return { step, memory };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
