/**
 * The column names of the common exporters, by field: Lens (CSV and JSON), Google Patents and its BigQuery tables, Espacenet,
 * Derwent, Orbit, PatBase, PatSnap, PatentsView, WIPO Patentscope, DEPATISnet, HUPD, BigPatent, DAPFAM and the plain names
 * people give. Order is preference: for a text or date the first one that a row fills is taken, a list gathers all.
 * Names are compared as `normaliseName` writes them; names with a dot are paths into nested records.
 */

export const FIELDS = [
  'id', 'aliases', 'family', 'familyMembers', 'title', 'abstract', 'claims', 'firstClaim', 'description', 'body', 'cpc', 'ipc',
  'labels', 'cites', 'citedBy', 'priority', 'filing', 'publication', 'grant', 'date', 'country', 'kind', 'language',
] as const; // biome-ignore format: one list
export type Field = (typeof FIELDS)[number];

const NAMES: Record<Field, string> = {
  id: `publication number|publication numbers|publication no|publication nr|publication number s|pub no|pub num|pub number|publn no|
    publication number original|patent publication number|patent number|patent no|publication id|publication|pn|display key|
    veröffentlichungsnummer|numéro de publication|document number|document no|ucid|docdb id|document id|doc id|patent id|pat no|
    id|lens id|wku|patent|relevant id|query id|application id|doc number|number|application number`,
  aliases: 'aliases|alias|other numbers|equivalent numbers|lens id|wku|display key',
  family: `family id|simple family id|docdb family id|family|family number|inpadoc family id|patent family id|dwpi accession number|
    dwpi family id|family no|extended family id|fan|familie|families.simple family.family id`,
  familyMembers: 'simple family members|family members|docdb family members|families.simple family.members',
  title: `title en|title english|english title|title translated|title localized|title|invention title|patent title|title original|
    title dwpi|titel|titre|bezeichnung|title of invention|biblio.invention title`,
  abstract: `abstract en|abstract english|english abstract|abstract translated|abstract localized|abstract|patent abstract|
    abstract text|abstract original|abstract dwpi|zusammenfassung|abrégé|resume|summary abstract`,
  claims: `claims en|claims english|claims localized|claims text|claims|claim text|all claims|claim|patent claims|ansprüche|
    revendications|biblio.claims`,
  firstClaim: 'first claim|claim 1|first claim en|main claim|first independent claim|claim1',
  description: `description en|description english|description localized|full description|description text|description|
    detailed description|detail desc|detail description|beschreibung|description.text`,
  body: 'body|text|full text|fulltext|text en|content',
  cpc: `cpc|cpc codes|cpc code|cpcs|cpc classifications|cpc classification|cpc current|cpc labels|cpc cooperative classification|
    cooperative patent classification|cooperative classification|cpc inventive|cpc additional|cpc subclass|cpc class|cpc group|
    cpc symbols|cpc ids|cpc current dwpi|classifications cpc|main cpc label|biblio.classifications cpc`,
  ipc: `ipc|ipcr|ipc codes|ipc code|ipcs|ipc classifications|ipc classification|ipcr classifications|ipc current|ipcr labels|
    ipc international classification|international classification|international patent classification|int cl|icl class|icl|
    i p c|ipc class|ipc hauptklasse|ipc nebenklasse|ipc symbols|ipc ids|main ipcr label|classifications ipcr|
    biblio.classifications ipcr`,
  labels: 'labels|label|tags|tag|categories|category|topics|topic|class label',
  cites: `citation|citations|cites|cited patents|patent citations|references|references cited|cited references|backward citations|
    cited refs patent|cited documents|cited publications|cited patent numbers|references cited patent|citing to|zitierungen|
    biblio.references cited.citations`,
  citedBy: `cited by|citedby|cited by patents|citing patents|forward citations|citing refs|citing documents|citing publications|
    cited by publications|biblio.cited by.patents`,
  priority: `dates.priority|priority date|earliest priority date|earliest priority|priority date earliest|first priority date|priority dates|
    prioritätsdatum|date of priority|biblio.priority claims.earliest claim.date`,
  filing: `dates.filing|filing date|application date|app date|filing creation date|date filed|1st application date|application dates|
    date of filing|date of application|filed|anmeldedatum|date de dépôt|biblio.application reference.date`,
  publication: `dates.publication|publication date|date published|pub date|publn date|publication dates|date of publication|patent publication date|
    veröffentlichungsdatum|date de publication|published|publication year`,
  grant:
    'dates.grant|grant date|issue date|patent issue date|patent date|date of grant|date granted|granted|grant dates|legal status.grant date',
  date: 'date|day|datum',
  country:
    'country|country code|jurisdiction|authority|publication country|patent office|office|land|publication authority',
  kind: 'kind|kind code|publication kind',
  language: 'language|lang|publication language|original language|language code|sprache',
};

/** Normalised name -> the fields it may mean, with its place in the order of preference. */
const BY_NAME = new Map<string, { field: Field; order: number }[]>();
for (const field of FIELDS) {
  for (const [order, name] of NAMES[field].split('|').entries()) {
    const key = name.trim();
    BY_NAME.set(key, [...(BY_NAME.get(key) ?? []), { field, order }]);
  }
}

/** `Publication_Number`, `publicationNumber`, `Publication number:` -> `publication number`; the dots of paths stay. */
function normaliseName(name: string): string {
  return name
    .normalize('NFC')
    .replace(/\[\]/g, '')
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}.]+/gu, ' ')
    .replace(/ *\. */g, '.')
    .replace(/^[. ]+|[. ]+$/g, '')
    .replace(/^g patent /, '');
}

export function meaningsOf(name: string): readonly { field: Field; order: number }[] {
  return BY_NAME.get(normaliseName(name)) ?? [];
}
