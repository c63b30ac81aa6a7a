/**
 * The identity of a model: SHA-256 over every file that can change a vector (configuration, weights, modules, tokenizer).
 * A file larger than a block is hashed block by block and the digests are hashed again, so that memory stays bounded
 * without a streaming SHA-256, which the portable platform does not have.
 */
import { hashOf, sha256 } from '../base/hash.ts';
import type { Files } from '../base/platform.ts';

const block = 1 << 26;

/** Files of a tokenizer, of which a folder has some. */
export const tokenizerFiles = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'sentencepiece.bpe.model',
];

/** `names` are relative to the folder, with `/`; those that do not exist are left out. */
export async function modelHash(
  files: Files,
  folder: string,
  encoderPath: string,
  names: readonly string[],
): Promise<string> {
  const digests: Record<string, string> = {};
  // A tokenizer in the folder itself goes before one beside the encoder's weights (tokenizer/load.ts): both count.
  const places = encoderPath === '' ? [''] : ['', `${encoderPath}/`];
  const tokenizer = places.flatMap((place) => tokenizerFiles.map((name) => place + name));
  for (const name of new Set([...names, ...tokenizer])) {
    const path = files.join(folder, ...name.split('/'));
    const size = await files.size(path);
    if (size !== undefined) digests[name] = await fileDigest(files, path, size);
  }
  return hashOf(digests);
}

async function fileDigest(files: Files, path: string, size: number): Promise<string> {
  const digests: string[] = [];
  for (let at = 0; at === 0 || at < size; at += block) {
    digests.push(await sha256(await files.readRange(path, at, Math.min(block, size - at))));
  }
  return digests.length === 1 ? digests[0]! : sha256(digests.join(' '));
}
