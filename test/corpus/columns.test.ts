/** Columns of the common exporters, `--map`, and what is decided from values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PatentlabError } from '../../src/base/errors.ts';
import { planColumns } from '../../src/corpus/columns.ts';
import type { Row } from '../../src/corpus/importers/importer.ts';
import { chooseImporter } from '../../src/corpus/importers/index.ts';
import { patentFromRow } from '../../src/corpus/patent-from-row.ts';
import type { Patent } from '../../src/corpus/record.ts';
import { missing, realData } from '../support/data.ts';
import { outcomes, soundRows } from './importer-fixtures.ts';

function patentOf(row: Row, map?: Record<string, string>): Patent {
  const outcome = patentFromRow(row, planColumns([row], { file: 'test', ...(map === undefined ? {} : { map }) }));
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return outcome.patent;
}

const exporters: { name: string; row: Row; expected: Partial<Patent> }[] = [
  {
    name: 'Lens CSV',
    row: {
      '#': '1', Jurisdiction: 'US', Kind: 'B2', 'Display Key': 'US 10003315 B2', 'Lens ID': '108-493-016-922-603',
      'Publication Date': '2018-06-19', 'Publication Year': '2018', 'Application Number': 'US 201715494435 A', 'Application Date': '2017-04-21',
      'Earliest Priority Date': '2016-01-25', Title: 'Voltage sampler', Abstract: 'Methods.', 'Cites Patent Count': '12',
      'Simple Family Members': 'US 10003315 B2;;EP 3408935 B1', 'CPC Classifications': 'H03F3/45;;H04L25/02', 'IPCR Classifications': 'H03F3/45;;H04L25/02',
    },
    expected: {
      id: 'US10003315B2', title: 'Voltage sampler', abstract: 'Methods.', family: 'EP3408935B1', cpc: ['H03F3/45', 'H04L25/02'],
      ipc: ['H03F3/45', 'H04L25/02'], country: 'US', dates: { priority: '2016-01-25', filing: '2017-04-21', publication: '2018-06-19' },
    },
  },
  {
    name: 'Lens JSON lines',
    row: {
      lens_id: '108-493-016-922-603', jurisdiction: 'US', doc_number: '10003315', kind: 'B2', date_published: '2018-06-19', lang: 'en',
      biblio: {
        invention_title: [{ text: 'Titel', lang: 'de' }, { text: 'Title', lang: 'en' }],
        application_reference: { date: '2017-04-21', doc_number: '201715494435' },
        priority_claims: { earliest_claim: { date: '2016-01-25' } },
        classifications_cpc: { classifications: [{ symbol: 'H03F3/45' }] },
        classifications_ipcr: { classifications: [{ symbol: 'H03F 3/45' }] },
        references_cited: { citations: [{ sequence: 1, patcit: { document_id: { jurisdiction: 'US', doc_number: '4058776', kind: 'A' }, lens_id: '1' }, cited_phase: 'SEA', category: ['X'] }, { nplcit: { text: 'A book' } }] },
        cited_by: { patents: [{ document_id: { jurisdiction: 'EP', doc_number: '1234567', kind: 'B1' } }] },
      },
      abstract: [{ text: 'An abstract', lang: 'en' }],
      claims: [{ claims: [{ claim_text: ['1. A thing.'] }, { claim_text: ['2. The thing of claim 1.'] }], lang: 'en' }],
      description: { text: 'It is described.', lang: 'en' },
      families: { simple_family: { members: [{ document_id: { jurisdiction: 'US', doc_number: '10003315', kind: 'B2' } }] } },
    },
    expected: {
      id: 'US10003315B2', title: 'Title', abstract: 'An abstract', claims: '1. A thing.\n2. The thing of claim 1.', firstClaim: 'A thing.',
      description: 'It is described.', cpc: ['H03F3/45'], ipc: ['H03F3/45'], cites: [{ id: 'US4058776A', category: 'X', origin: 'search' }],
      citedBy: ['EP1234567B1'], family: 'US10003315B2', language: 'en', dates: { priority: '2016-01-25', filing: '2017-04-21', publication: '2018-06-19' },
    },
  },
  {
    name: 'BigQuery',
    row: {
      publication_number: 'US-2016123456-A1', application_number: 'US-201414567890-A', country_code: 'US', kind_code: 'A1', family_id: '5555',
      title_localized: [{ text: 'Titel', language: 'de' }, { text: 'Title', language: 'en' }], abstract_localized: [{ text: 'An abstract', language: 'en', truncated: false }],
      claims_localized: [{ text: 'What is claimed is: 1. A thing. 2. The thing of claim 1.', language: 'en' }], description_localized: [],
      publication_date: 20160505, filing_date: 20141212, grant_date: 0, priority_date: 20141101, ipc: [{ code: 'A61B8/08' }],
      cpc: [{ code: 'A61B8/08', inventive: true, first: true, tree: [] }], citation: [{ publication_number: 'US-4058776-A', type: 'APP', category: '' }, { publication_number: '', npl_text: 'Smith' }],
    },
    expected: {
      id: 'US20160123456A1', title: 'Title', family: '5555', claims: '1. A thing.\n2. The thing of claim 1.', cpc: ['A61B8/08'], ipc: ['A61B8/08'],
      cites: [{ id: 'US4058776A', origin: 'applicant' }], dates: { priority: '2014-11-01', filing: '2014-12-12', publication: '2016-05-05' }, language: 'en',
    },
  },
  {
    name: 'Google Patents CSV',
    row: { id: 'US-10003315-B2', title: 'Voltage sampler', assignee: 'K', 'inventor/author': 'A. U.', 'priority date': '2016-01-25', 'filing/creation date': '2017-04-21', 'publication date': '2018-06-19', 'grant date': '2018-06-19', 'result link': 'https://example.org', 'representative figure link': '' },
    expected: { id: 'US10003315B2', aliases: ['US-10003315-B2'], dates: { priority: '2016-01-25', filing: '2017-04-21', publication: '2018-06-19', grant: '2018-06-19' } },
  },
  {
    name: 'Espacenet',
    row: { No: '1', Title: 'ULTRASOUND PROBE', Inventors: 'X [JP]', Applicants: 'Y', 'Publication number': 'US2016123456A1\nUS10003315B2', 'Earliest priority': '2014-11-01', IPC: 'A61B8/08 (2006.01)\nG01S7/52', CPC: 'A61B8/08 (US)\nG01S7/52023 (EP)', 'Publication date': '2016-05-05\n2018-06-19', 'Earliest publication': '2016-05-05', 'Family number': '5555' },
    expected: { id: 'US20160123456A1', aliases: ['US2016123456A1', 'US10003315B2'], family: '5555', ipc: ['A61B8/08', 'G01S7/52'], cpc: ['A61B8/08', 'G01S7/52023'], dates: { priority: '2014-11-01', publication: '2016-05-05' } },
  },
  {
    name: 'Derwent Innovation',
    row: { 'Publication Number': 'US10003315B2', Title: 'Sampler', 'Abstract - DWPI': 'NOVELTY.', 'First Claim': '1. A sampler.', 'Publication Date': '2018-06-19', 'Application Date': '2017-04-21', 'Priority Date - Earliest': '2016-01-25', 'CPC - Current': 'H03F3/45 | H04L25/02', 'IPC - Current': 'H03F3/45', 'Cited Refs - Patent': 'US4058776A | EP1234567B1', 'INPADOC Family ID': '99' },
    expected: { id: 'US10003315B2', abstract: 'NOVELTY.', firstClaim: 'A sampler.', cpc: ['H03F3/45', 'H04L25/02'], cites: [{ id: 'US4058776A' }, { id: 'EP1234567B1' }], family: '99', dates: { priority: '2016-01-25', filing: '2017-04-21', publication: '2018-06-19' } },
  },
  {
    name: 'PatSnap',
    row: { 'Publication Number': 'EP1234567B1', Title: 'T', 'Title (English)': 'English T', Abstract: 'A', 'Application Date': '25.01.2016', 'Publication Date': '19.06.2018', IPC: 'A61B8/08', CPC: 'A61B8/08', 'Simple Family ID': '7' },
    expected: { id: 'EP1234567B1', title: 'English T', family: '7', country: 'EP', dates: { filing: '2016-01-25', publication: '2018-06-19' } },
  },
  {
    name: 'Orbit',
    row: { 'Publication numbers': 'US10003315 B2', Title: 'T', Abstract: 'A', Claims: '1. A thing.', 'Earliest priority date': '2016-01-25', '1st application date': '2017-04-21', 'Publication dates': '2018-06-19', 'IPC - International classification': 'H03F-003/45', 'Cited patents': 'US4058776 A', 'Citing patents': 'US11111111 B2', 'Family number': '12' },
    expected: { id: 'US10003315B2', claims: '1. A thing.', cites: [{ id: 'US4058776A' }], citedBy: ['US11111111B2'], ipc: ['H03F3/45'], family: '12' },
  },
  {
    name: 'PatentsView',
    row: { patent_id: '10003315', patent_type: 'utility', patent_date: '2018-06-19', patent_title: 'Sampler', patent_abstract: 'Methods.', wipo_kind: 'B2', num_claims: '20' },
    expected: { id: '10003315', title: 'Sampler', abstract: 'Methods.', dates: { grant: '2018-06-19' } },
  },
  {
    name: 'WIPO Patentscope',
    row: { 'Application Id': 'WO2016123456', 'Application Number': 'PCT/US2016/012345', 'Application Date': '25.01.2016', Country: 'WO', Title: 'PROBE', Abstract: 'A', 'I P C': 'A61B 8/08; G01S 7/52', 'Publication Date': '04.08.2016' },
    expected: { id: 'WO2016123456', ipc: ['A61B8/08', 'G01S7/52'], country: 'WO', dates: { filing: '2016-01-25', publication: '2016-08-04' } },
  },
  {
    name: 'HUPD',
    row: { application_number: '14567890', publication_number: 'US20160123456A1', title: 'Probe', decision: 'ACCEPTED', date_published: '20160505', filing_date: '20141212', patent_issue_date: '', cpc_labels: ['A61B8/08'], main_cpc_label: 'A61B8/08', ipcr_labels: ['A61B808'], abstract: 'A', claims: '1. A thing. 2. The thing of claim 1.', background: 'B', summary: 'S', full_description: 'All of it.', inventor_list: [{ inventor_name_last: 'U' }] },
    expected: { id: 'US20160123456A1', cpc: ['A61B8/08'], claims: '1. A thing.\n2. The thing of claim 1.', description: 'All of it.', dates: { filing: '2014-12-12', publication: '2016-05-05' } },
  },
  { name: 'BigPatent', row: { publication_number: 'US-8230922-B2', abstract: 'A', application_number: 'US-1', description: 'A long one.' }, expected: { id: 'US8230922B2', abstract: 'A', description: 'A long one.' } },
  { name: 'DAPFAM', row: { relevant_id: 4711, title_en: 'T', abstract_en: 'A', claims_text: '1. A thing.', description_en: 'D' }, expected: { id: '4711', title: 'T', abstract: 'A', claims: '1. A thing.', description: 'D' } },
  { name: 'DEPATISnet', row: { Veröffentlichungsnummer: 'DE102016000001A1', Titel: 'Sonde', Anmeldedatum: '25.01.2016', Veröffentlichungsdatum: '27.07.2017', 'IPC-Hauptklasse': 'A61B 8/08', Zusammenfassung: 'Es.' }, expected: { id: 'DE102016000001A1', title: 'Sonde', abstract: 'Es.', ipc: ['A61B8/08'], country: 'DE' } },
]; // biome-ignore format: one row an exporter

for (const { name, row, expected } of exporters) {
  test(`columns of ${name}`, () => {
    const patent = patentOf(row);
    for (const [field, value] of Object.entries(expected))
      assert.deepEqual(patent[field as keyof Patent], value, field);
  });
}

test('--map takes paths, alternatives and templates, and overrides guesses', () => {
  const row = {
    nr: { office: 'EP', n: '1234567' }, name: 'T', title: 'not this', refs: [{ p: 'US4058776A' }, { p: 'US1234567A' }], 'a.b[0]': 'odd name',
    texts: [{ text: 'erst' }, { text: 'second' }],
  }; // biome-ignore format: one row
  const patent = patentOf(row, {
    id: '{nr.office}{nr.n}', title: 'name', cites: 'refs[].p', abstract: 'a.b[0]', description: 'texts[1].text', labels: 'none|name',
  }); // biome-ignore format: one mapping
  assert.equal(patent.id, 'EP1234567');
  assert.equal(patent.title, 'T');
  assert.deepEqual(patent.cites, [{ id: 'US4058776A' }, { id: 'US1234567A' }]);
  assert.equal(patent.abstract, 'odd name');
  assert.equal(patent.description, 'second');
  assert.deepEqual(patent.extra, { title: 'not this' });
});

test('a mapped column or field that is not there, and a file without ids, say what there is', () => {
  const rows = [{ number: '1', name: 'T' }];
  const fails = (map: Record<string, string>, code: string, pattern: RegExp) =>
    assert.throws(
      () => planColumns(rows, { file: 'x.csv', map }),
      (error) =>
        error instanceof PatentlabError &&
        error.code === code &&
        error.details.file === 'x.csv' &&
        pattern.test(error.describe()),
    );
  fails({ title: 'Titel' }, 'import.map.column', /number, name/);
  fails({ titel: 'name' }, 'import.map.field', /title/);
  assert.throws(() => planColumns([{ foo: 1, bar: 2 }], { file: 'x.csv' }), { code: 'import.no-id' });
});

test('ill-typed values refuse the row and name the field', () => {
  const sample = [{ id: 'US1', title: 'T', abstract: 'A' }];
  const plan = planColumns(sample, { file: 'x' });
  for (const [row, field] of [
    [{ id: 'US1', title: 42 }, 'title'],
    [{ id: 'US1', abstract: { x: 1 } }, 'abstract'],
    [{ id: true, title: 'T' }, 'id'],
    [{ title: 'T' }, 'id'],
    [{ id: '  ', title: 'T' }, 'id'],
  ] as [Row, string][]) {
    const outcome = patentFromRow(row, plan);
    assert.ok(!outcome.ok);
    assert.equal(outcome.field, field);
  }
});

test('a date of unknown kind: published on the right weekdays, surely not, or not to be told', () => {
  const rows = (day: (i: number) => string) =>
    Array.from({ length: 40 }, (_, i) => ({ id: `US${8_000_000 + i}B2`, date: day(i) }));
  const tuesday = planColumns(
    rows((i) => new Date(Date.UTC(2012, 0, 3 + 7 * i)).toISOString().slice(0, 10)),
    { file: 'x' },
  );
  assert.deepEqual(tuesday.fields.publication?.paths, ['date']);
  const anyDay = planColumns(
    rows((i) => new Date(Date.UTC(2012, 0, 3 + i)).toISOString().slice(0, 10)),
    { file: 'x' },
  );
  assert.deepEqual(anyDay.fields.filing?.paths, ['date']);
  assert.match(anyDay.notes.join(), /not the publication/);
  const few = planColumns(rows(() => '2012-01-03').slice(0, 5), { file: 'x' });
  assert.deepEqual([few.fields.filing, few.fields.publication, few.unused], [undefined, undefined, ['date']]);
});

test('any row of any shape gives a patent or a reason, never a crash', () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('US-1234567-A', '2016-01-25', '1. A thing. 2. The thing.', 'A61B 8/08;G01S7/52', null),
  );
  const names = fc.constantFrom(
    'id',
    'title',
    'abstract',
    'claims',
    'text',
    'cpc',
    'ICL_Class',
    'citation',
    'cited_by',
    'family_members',
    'date',
    'filing_date',
    'country',
    'language',
    'labels',
    '__proto__',
    'constructor',
    'a.b',
  );
  fc.assert(
    fc.property(fc.array(fc.dictionary(names, value, { minKeys: 1 }), { minLength: 1, maxLength: 5 }), (rows) => {
      try {
        const plan = planColumns(rows, { file: 'x' });
        for (const row of rows) {
          const outcome = patentFromRow(row, plan);
          if (outcome.ok) assert.ok(outcome.patent.id !== '');
          else assert.ok(outcome.reason !== '');
        }
      } catch (error) {
        assert.ok(error instanceof PatentlabError, String((error as Error).stack));
      }
    }),
    { numRuns: 400 },
  );
});

const real = {
  'ultrasound_us.jsonl.gz': { rows: 1252, fields: ['id', 'title', 'abstract', 'body', 'cites', 'citedBy', 'filing'] },
  'us_abstracts_10k.jsonl.gz': { rows: 10000, fields: ['id', 'abstract', 'cites'] },
  'drones_title_ipc.jsonl.gz': { rows: 48873, fields: ['id', 'title', 'ipc'] },
  'us_grants_1976w1.jsonl.gz': { rows: 1379, fields: ['id', 'title', 'filing', 'grant', 'ipc', 'cites', 'claims'] },
  'patentsberta/df_claim_cpc_test.csv': { rows: 100, fields: ['id', 'body', 'publication'] },
};
for (const [name, { rows: count, fields }] of Object.entries(real)) {
  test(`real file ${name}: every row becomes a patent`, { skip: missing(name) }, async () => {
    const file = { path: realData(name), size: 0 };
    const rows = soundRows(await outcomes(await chooseImporter(file), file.path));
    assert.equal(rows.length, count);
    const plan = planColumns(rows.slice(0, 500), { file: name });
    assert.deepEqual(new Set(Object.keys(plan.fields)), new Set(fields));
    let claims = 0;
    for (const row of rows.slice(0, 3000)) {
      const outcome = patentFromRow(row, plan);
      assert.ok(outcome.ok);
      if (outcome.patent.claims !== undefined) claims++;
      if (name.startsWith('patentsberta')) assert.ok(outcome.patent.labels.length > 0);
      if (name.startsWith('us_grants')) assert.match(outcome.patent.id, /^US(?:RE)?\d+$/);
      if (name.startsWith('us_grants'))
        assert.ok(
          outcome.patent.ipc.every((symbol) => /^[A-H]\d\d[A-Z]\d+\/\d\d/.test(symbol)),
          outcome.patent.ipc.join(),
        );
    }
    if (name.startsWith('ultrasound')) assert.ok(claims > 1050, `${claims}`);
    if (name.startsWith('us_grants')) assert.equal(claims, 1379);
  });
}
