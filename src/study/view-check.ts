/**
 * What a view reads in a corpus at hand. A view without any of its sections would rank empty texts, so it is refused; one
 * that lacks some reads as another view does, and one that most patents lack measures little: both are said.
 */
import { inputError } from '../base/errors.ts';
import type { Corpus } from '../corpus/store.ts';
import { sectionsOf, views } from '../corpus/views.ts';
import { type ViewSpec, viewLabel } from './systems.ts';

const words = {
  title: 'title',
  abstract: 'abstract',
  firstClaim: 'first claim',
  claims: 'claims',
  description: 'description',
} as const;

/** Warnings for the report; throws where a view is empty for every patent. */
export function checkViews({ name, size, summary }: Corpus, chosen: readonly ViewSpec[]): string[] {
  const present = (section: keyof typeof words) => summary.fields[section]?.present ?? 0;
  const possible = views.filter((view) => sectionsOf[view].some((section) => present(section) > 0));
  return chosen.flatMap((spec) => {
    const sections = sectionsOf[spec.view];
    const absent = sections.filter((section) => present(section) === 0).map((section) => words[section]);
    if (absent.length === sections.length) {
      throw inputError(`no patent of "${name}" has the text of view ${spec.view}`, {
        code: 'evaluate.view-empty',
        field: '--view',
        expected: possible.length === 0 ? 'a corpus with texts' : `one of ${possible.join(', ')}`,
        found: viewLabel(spec),
        hint: `\`patentlab corpus show ${name}\` says which texts the corpus has`,
      });
    }
    if (absent.length > 0) return [`View ${viewLabel(spec)} of ${name}: no patent has ${absent.join(' or ')}.`];
    const fewest = sections.reduce((a, b) => (present(b) < present(a) ? b : a));
    const share = present(fewest) / Math.max(1, size);
    if (share >= 0.5) return [];
    return [
      `View ${viewLabel(spec)} of ${name}: only ${Math.round(share * 100)} % of the patents have ${words[fewest]}.`,
    ];
  });
}
