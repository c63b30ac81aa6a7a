/** The committed checkpoints of test/oracle/models.py and what transformers computed from them. */
import { join } from 'node:path';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openSafetensors, readFloat32, readTensorBytes } from '../../src/base/safetensors.ts';

export const names = ['bert', 'roberta', 'xlm-roberta', 'mpnet', 'modernbert'] as const;
export type FixtureName = (typeof names)[number];

export const fixtureFolder = (name: string) => join(import.meta.dirname, '..', 'fixtures', 'models', name);

export interface Expected {
  sequences: Int32Array[];
  segments: Int32Array[] | undefined;
  /** After the embeddings and after each layer, [tokens, hidden]. */
  hidden: Float32Array[];
  /** What `encode` must give, [sequences, dimensions]. */
  vectors: Float32Array;
}

export async function expectedOf(name: FixtureName): Promise<Expected> {
  const { files } = nodePlatform;
  const { tensors } = await openSafetensors(files, join(fixtureFolder(name), 'expected.safetensors'));
  const integers = async (key: string) => new Int32Array((await readTensorBytes(files, tensors.get(key)!)).buffer);
  const lengths = await integers('lengths');
  const cut = (all: Int32Array) => {
    let start = 0;
    return Array.from(lengths, (length) => {
      start += length;
      return all.slice(start - length, start);
    });
  };
  const hidden: Float32Array[] = [];
  for (let layer = 0; tensors.has(`hidden.${layer}`); layer++)
    hidden.push(await readFloat32(files, tensors.get(`hidden.${layer}`)!));
  return {
    sequences: cut(await integers('ids')),
    segments: tensors.has('segments') ? cut(await integers('segments')) : undefined,
    hidden,
    vectors: await readFloat32(files, tensors.get('vectors')!),
  };
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} values against ${b.length}`);
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= worst)) worst = difference; // NaN too
  }
  return worst;
}
