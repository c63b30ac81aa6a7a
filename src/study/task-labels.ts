/** The labels of a corpus that classification and clustering go by. */
import { inputError } from '../base/errors.ts';
import { defaultLabelField, type LabelTable, labelFields, loadLabels, patentsWith } from '../corpus/labels.ts';
import type { Corpus } from '../corpus/store.ts';
import type { LabelRule } from './evaluate-options.ts';
import type { Task } from './results.ts';

const names = { labels: 'labels', cpc: 'CPC codes', ipc: 'IPC codes' } as const;

/** Throws where the corpus has none of the field asked for. */
export async function taskLabels(corpus: Corpus, rule: LabelRule, task: Task): Promise<LabelTable> {
  const field = rule.field ?? defaultLabelField(corpus);
  if (field === undefined || patentsWith(corpus, field) === 0) {
    const held = labelFields.filter((one) => patentsWith(corpus, one) > 0);
    throw inputError(`the patents of "${corpus.name}" have no ${field === undefined ? 'labels' : names[field]}`, {
      code: `${task}.labels`,
      field: '--labels',
      expected: 'a corpus with labels of your own, CPC or IPC codes',
      found: held.length === 0 ? 'none of them' : held.map((one) => names[one]).join(', '),
      hint:
        held.length === 0
          ? `\`patentlab corpus show ${corpus.name}\` says what it has; import with --map labels=COLUMN`
          : `Take --labels ${held.join(' or ')}, or leave --labels out.`,
    });
  }
  if (field === 'labels' && rule.level !== undefined)
    throw inputError('--level has no effect here', {
      code: `${task}.level`,
      field: '--level',
      expected: '--labels cpc or ipc: only codes have levels',
      found: `labels of your own on "${corpus.name}"`,
    });
  return loadLabels(corpus, { field, ...(rule.level === undefined ? {} : { level: rule.level }) });
}
