/**
 * Which prompt stands before a query and a document. A checkpoint's own file wins over the registry (unless the registry's
 * entry overrides it); by the names that sentence-transformers looks for: `query`, and `document`, `passage` or `corpus`;
 * failing these, its default prompt for both roles.
 */
import type { SentenceFiles } from './modules.ts';
import type { KnownModel } from './registry.ts';
import type { Prompts } from './types.ts';

export function choosePrompts(own: SentenceFiles, known: KnownModel | undefined): Prompts {
  const named = own.prompts ?? {};
  const fallback = own.defaultPrompt === undefined ? undefined : named[own.defaultPrompt];
  const query = named.query ?? fallback;
  const document = named.document ?? named.passage ?? named.corpus ?? fallback;
  const spoken = query !== undefined || document !== undefined;
  const override = known?.prompts !== undefined && known.override.includes('prompts');
  // Newer versions of sentence-transformers write empty query and document prompts where none were set: no statement.
  const empty = (query ?? '') === '' && (document ?? '') === '';
  if (spoken && !override && !(empty && known?.prompts !== undefined))
    return { query: query ?? '', document: document ?? '', named, source: 'checkpoint' };
  if (known?.prompts !== undefined)
    return { ...known.prompts, named: { ...named, ...known.prompts }, source: 'registry' };
  return { query: '', document: '', named, source: 'none' };
}
