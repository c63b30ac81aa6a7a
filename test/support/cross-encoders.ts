/** The committed cross-encoders of test/oracle/cross_encoder.py as whole checkpoint folders, and what the oracle made of them. */
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const fixtures = join(import.meta.dirname, '..', 'fixtures');

interface Fixtures {
  /** Most tokens of a pair. */
  length: number;
  pairs: [string, string][];
  models: Record<
    string,
    { tokenizer: string; ids: number[][]; segments: number[][] | null; scores: number[]; predicted: number[] }
  >;
}

export const crossEncoderFixtures = JSON.parse(
  readFileSync(join(fixtures, 'cross-encoders', 'pairs.json'), 'utf8'),
) as Fixtures;

/** The folder of one, its tokenizer beside it, within `scratch`. */
export function crossEncoderFolder(name: string, scratch: string): string {
  const folder = join(scratch, name);
  if (existsSync(folder)) return folder;
  cpSync(join(fixtures, 'cross-encoders', name), folder, { recursive: true });
  const { tokenizer } = crossEncoderFixtures.models[name]!;
  cpSync(join(fixtures, 'tokenizers', tokenizer, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  return folder;
}
