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

/**
 * The tokenizer's files: in the folder itself, or where sentence-transformers' modules.json says that the encoder is
 * (`0_Transformer` in older checkpoints).
 */
export async function readTokenizerFiles({ files }: Platform, root: string): Promise<TokenizerFiles> {
  let folder = root;
  if ((await files.size(files.join(root, 'tokenizer.json'))) === undefined) {
    const modules = files.join(root, 'modules.json');
    const inner = (await files.size(modules)) === undefined ? '' : encoderPath(await files.readText(modules));
    folder = files.join(root, ...inner.split('/').filter((part) => part !== '' && part !== '..'));
  }
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

/** Path of the first module, '' where the file does not say (loading the model reports what is wrong with it). */
function encoderPath(modules: string): string {
  try {
    const first = (JSON.parse(modules) as { path?: unknown }[])[0]?.path;
    return typeof first === 'string' ? first : '';
  } catch {
    return '';
  }
}
