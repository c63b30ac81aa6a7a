/** Small invented data in the layouts of the repositories that MTEB's patent tasks read. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeParquet } from '../../src/base/node/parquet.ts';
import { stream } from '../../src/base/random.ts';

const topics = [
  'walking frame with brake lever and swivel wheel for a patient',
  'ultrasonic transducer array with elements and carrier frequency',
  'solar cell with semiconductor layer and transparent electrode',
  'greenhouse robot that picks fruit by a gripper and camera',
];

/** A text about a topic: its words and others in a drawn order. */
function text(topic: number, draw: ReturnType<typeof stream>): string {
  const words = topics[topic]!.split(' ');
  const others = topics.join(' ').split(' ');
  return Array.from({ length: 12 }, () => (draw.uniform() < 0.7 ? draw.pick(words) : draw.pick(others))).join(' ');
}

const strings = (name: string, values: readonly string[]) => ({ name, type: 'VARCHAR' as const, values });
const numbers = (name: string, values: readonly number[]) => ({ name, type: 'INTEGER' as const, values });

/** Queries by topic, documents by topic; `IN` where both are of even number. A query has no relevant document. */
export async function writeDapfam(folder: string): Promise<void> {
  const draw = stream(1, 'mteb', 'dapfam');
  const documents = Array.from({ length: 40 }, (_, i) => ({ id: `t${i}`, topic: i % 4 }));
  const queries = Array.from({ length: 12 }, (_, i) => ({ id: `q${i}`, topic: i % 4 }));
  const sections = (of: readonly { topic: number }[]) => [
    strings(
      'title_en',
      of.map(({ topic }) => topics[topic]!.split(' ').slice(0, 2).join(' ')),
    ),
    strings(
      'abstract_en',
      of.map(({ topic }) => text(topic, draw)),
    ),
    strings(
      'claims_text',
      of.map(({ topic }) => `1. A ${text(topic, draw)}.`),
    ),
    strings(
      'description_en',
      of.map(({ topic }) => `${text(topic, draw)} ${text(topic, draw)}`),
    ),
  ];
  const pairs = queries.flatMap((query, q) =>
    documents
      .map((document, d) => ({ query, document, domain: (q + d) % 8 < 4 ? 'IN' : 'OUT', d }))
      .filter(({ d }) => (d + q) % 3 === 0)
      .map((pair) => ({ ...pair, score: pair.document.topic === pair.query.topic && q !== 11 ? 1 : 0 })),
  );
  await writeParquet(join(folder, 'corpus.parquet'), [
    strings(
      'relevant_id',
      documents.map(({ id }) => id),
    ),
    ...sections(documents),
  ]);
  await writeParquet(join(folder, 'queries.parquet'), [
    strings(
      'query_id',
      queries.map(({ id }) => id),
    ),
    ...sections(queries),
  ]);
  await writeParquet(join(folder, 'qrels_all.parquet'), [
    strings(
      'query_id',
      pairs.map(({ query }) => query.id),
    ),
    strings(
      'relevant_id',
      pairs.map(({ document }) => document.id),
    ),
    { name: 'relevance_score', type: 'DOUBLE', values: pairs.map(({ score }) => score) },
    strings(
      'domain_rel',
      pairs.map(({ domain }) => domain),
    ),
  ]);
}

/** Three sets of texts a line each, and one of a single label. */
export function writeBigPatentSets(folder: string): void {
  const draw = stream(1, 'mteb', 'sets');
  const sets = [20, 24, 30].map((size) => Array.from({ length: size }, (_, i) => i % 4));
  const lines = [...sets, [2, 2]].map((labels) =>
    JSON.stringify({
      sentences: labels.map((topic) => text(topic, draw)),
      labels: labels.map((topic) => 'abcd'[topic]),
    }),
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'test.jsonl.gz'), gzipSync(`${lines.join('\n')}\n`));
}

/** Two Parquet files. */
export async function writeBigPatent(folder: string, rows = 600): Promise<void> {
  const draw = stream(1, 'mteb', 'flat');
  const labels = Array.from({ length: rows }, () => draw.integer(4));
  const sentences = labels.map((topic) => text(topic, draw));
  for (const [part, from] of [0, rows / 2].entries()) {
    await writeParquet(join(folder, 'data', `test-0000${part}-of-00002.parquet`), [
      strings('sentences', sentences.slice(from, from + rows / 2)),
      numbers('labels', labels.slice(from, from + rows / 2)),
    ]);
  }
}

/** JSON lines for training, Parquet for the test. */
export async function writePatentClassification(folder: string): Promise<void> {
  const draw = stream(1, 'mteb', 'classification');
  const labels = (count: number) => Array.from({ length: count }, () => draw.integer(4));
  const train = labels(120).map((label) => JSON.stringify({ text: text(label, draw), label, other: 1 }));
  const path = join(folder, 'train.jsonl');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${train.join('\n')}\n`);
  const test = labels(60);
  await writeParquet(join(folder, 'data', 'test-00000-of-00001.parquet'), [
    strings(
      'text',
      test.map((label) => text(label, draw)),
    ),
    numbers('label', test),
  ]);
}
