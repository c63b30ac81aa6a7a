/** A source file as decoded text, with one spoken line where its encoding is not what it seemed. */
import { readBytes } from './bytes.ts';
import type { ImporterContext, SourceFile } from './importer.ts';
import { decode } from './text.ts';

export function readText(file: SourceFile, context: ImporterContext): AsyncGenerator<string, void, undefined> {
  return decode(readBytes(file.path, context.signal, context.onBytes), {
    file: file.path,
    onFallback: (line) =>
      context.progress.say(`${file.path}:${line}: not valid UTF-8 here; such bytes are read as Windows-1252`),
  });
}
