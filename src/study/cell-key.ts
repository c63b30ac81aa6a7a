/** What identifies a cell whatever its task: the corpus, the text that is read, the versions; and what decides `lsa` vectors. */
import type { Corpus } from '../corpus/store.ts';
import { lsaSettings } from '../encode/lsa.ts';
import { definitionsVersion } from '../metrics/definitions.ts';
import type { EvaluateSettings } from './evaluate-options.ts';
import { lexicalSettings } from './lexical.ts';
import type { ViewSpec } from './systems.ts';

export function commonKey(
  { name, hash, revision, invented }: Corpus,
  view: ViewSpec,
  model: string,
  { packageVersion }: EvaluateSettings,
) {
  return {
    corpus: { name, hash, revision, invented },
    model,
    view: view.view,
    maskCitations: view.masked,
    /** Of what computes no vectors, or on a processor; encoders name theirs. */
    device: 'cpu' as const,
    packageVersion,
    definitions: definitionsVersion,
  };
}

export function lsaKey(settings: EvaluateSettings): Record<string, unknown> {
  const { lsaDimensions: dimensions, seed } = settings;
  return { analyser: lexicalSettings(settings).analyser, lsa: lsaSettings({ dimensions, seed }) };
}
