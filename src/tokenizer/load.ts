/** Reads a checkpoint's tokenizer files. */
import { inputError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { TextTokenizer, type TokenizerFiles, type TokenizerOptions } from './tokenizer.ts';

/** The tokenizer of the checkpoint in `folder` (tokenizer.json, tokenizer_config.json if there). */
export async function loadTokenizer(
  platform: Platform,
  folder: string,
  options: TokenizerOptions = {},
): Promise<TextTokenizer> {
  return new TextTokenizer(await readTokenizerFiles(platform, folder), options);
}

export async function readTokenizerFiles({ files }: Platform, folder: string): Promise<TokenizerFiles> {
  const path = files.join(folder, 'tokenizer.json');
  if ((await files.size(path)) === undefined) {
    throw inputError('the checkpoint has no tokenizer.json', {
      code: 'tokenizer.missing',
      file: path,
      expected: 'a fast tokenizer as Hugging Face writes it (a vocab.txt or a SentencePiece file alone is not enough)',
      hint: "write one with Python's transformers: AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)",
    });
  }
  const configPath = files.join(folder, 'tokenizer_config.json');
  const hasConfig = (await files.size(configPath)) !== undefined;
  return { tokenizer: await files.readText(path), config: hasConfig ? await files.readText(configPath) : '{}', folder };
}
