/**
 * The model card, README.md of a checkpoint: front matter in YAML as the Hugging Face hub reads it, then what a reader must
 * know. Only what the caller states is written; nothing is guessed, least of all a licence.
 */
export interface ModelCard {
  /** Heading. Default "Patent text encoder". */
  title?: string;
  /** Id of the model that training began from; absent where it began from random weights. */
  baseModel?: string;
  /** SPDX or hub identifier of the licence the checkpoint is under; absent: the card says that it is not stated. */
  license?: string;
  /** ISO 639-1 codes of the texts' languages. */
  languages?: readonly string[];
  /** How it was trained, in sentences. */
  recipe: string;
  /** Settings and results worth a table, in order: name to value. */
  facts?: Readonly<Record<string, string | number>>;
}

export function modelCard({ title = 'Patent text encoder', ...card }: ModelCard): string {
  const { baseModel, license, languages = [], recipe, facts = {} } = card;
  const front = [
    ...(license === undefined ? [] : [`license: ${quoted(license)}`]),
    ...(baseModel === undefined ? [] : [`base_model: ${quoted(baseModel)}`]),
    ...(languages.length === 0 ? [] : ['language:', ...languages.map((language) => `- ${quoted(language)}`)]),
    'library_name: sentence-transformers',
    'pipeline_tag: sentence-similarity',
    'tags:',
    ...['sentence-transformers', 'feature-extraction', 'patents'].map((tag) => `- ${tag}`),
  ];
  const origin =
    baseModel === undefined
      ? 'Trained from random weights.'
      : `Trained from ${baseModel}; its terms apply to what was taken from it.`;
  const rows = Object.entries(facts).map(([name, value]) => `| ${cell(name)} | ${cell(String(value))} |`);
  return `${[
    '---',
    ...front,
    '---',
    '',
    `# ${line(title)}`,
    '',
    line(origin),
    '',
    recipe.trim(),
    '',
    ...(rows.length === 0 ? [] : ['| | |', '|---|---|', ...rows, '']),
    license === undefined ? 'Licence: not stated.' : `Licence: ${line(license)}.`,
    '',
    'Written by patentlab. Load it with `SentenceTransformer(FOLDER)` or `loadModel`.',
  ].join('\n')}\n`;
}

/** A YAML scalar: JSON's strings are YAML's too, and `no` stays a language. */
const quoted = (text: string) => JSON.stringify(text);
const line = (text: string) => text.replaceAll(/\s+/g, ' ');
const cell = (text: string) => line(text).replaceAll('|', '\\|');
