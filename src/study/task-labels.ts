/** The labels of a corpus that classification and clustering go by. */
import { inputError } from '../base/errors.ts';
import { defaultLabelField, type LabelTable, loadLabels, patentsWith } from '../corpus/labels.ts';
import type { Corpus } from '../corpus/store.ts';
import type { LabelRule } from './evaluate-options.ts';
import type { Task } from './results.ts';

const names = { labels: 'labels', cpc: 'CPC codes', ipc: 'IPC codes' } as const;

/** Throws where the corpus has none of the field asked for. */
export async function taskLabels(corpus: Corpus, rule: LabelRule, task: Task): Promise<LabelTable> {
  const field = rule.field ?? defaultLabelField(corpus);
  if (field === undefined || patentsWith(corpus, field) === 0)
    throw inputError(`the patents of "${corpus.name}" have no ${field === undefined ? 'labels' : names[field]}`, {
      code: `${task}.labels`,
      field: '--labels',
      expected: 'a corpus with labels of your own, CPC or IPC codes',
      found: field ?? 'none of them',
      hint: `\`patentlab corpus show ${corpus.name}\` says what it has; import with --map labels=COLUMN`,
    });
  return loadLabels(corpus, { field, ...(rule.level === undefined ? {} : { level: rule.level }) });
}
