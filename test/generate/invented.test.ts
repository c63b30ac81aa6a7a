/** The invented landscapes: seeded, complete, and the committed samples are what the generator makes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generatePatents } from '../../src/generate/invented/generate.ts';
import { parseLandscape } from '../../src/generate/invented/landscape.ts';

const root = join(import.meta.dirname, '..', '..');
const names = ['assistive-devices', 'greenhouse-robots'];
const landscapeOf = (name: string) => {
  const file = join(root, 'src', 'generate', 'invented', `${name}.yaml`);
  return parseLandscape(readFileSync(file, 'utf8'), file);
};

for (const name of names) {
  test(`samples/${name}.jsonl is what the generator makes`, () => {
    const patents = generatePatents(landscapeOf(name), { patents: 320, seed: 2026 });
    const text = patents.map(({ extra, ...patent }) => `${JSON.stringify({ ...patent, ...extra })}\n`).join('');
    assert.equal(readFileSync(join(root, 'samples', `${name}.jsonl`), 'utf8'), text);
  });

  test(`${name}: ids are unique, citations lead to earlier families, every patent is marked as invented`, () => {
    const patents = generatePatents(landscapeOf(name), { patents: 250, seed: 7 });
    const byId = new Map(patents.map((patent) => [patent.id, patent]));
    assert.equal(byId.size, 250);
    let inside = 0;
    for (const patent of patents) {
      assert.equal(patent.extra?.invented, true);
      assert.ok(patent.title && patent.abstract && patent.firstClaim && patent.description);
      assert.ok(patent.claims?.startsWith(patent.firstClaim));
      for (const { id } of patent.cites) {
        const cited = byId.get(id);
        if (cited === undefined) continue;
        inside++;
        assert.notEqual(cited.family, patent.family);
        assert.ok(cited.dates.publication! < patent.dates.filing!, `${patent.id} cites ${id}, published later`);
      }
    }
    assert.ok(inside > 500, `only ${inside} citations inside`);
  });
}

test('citations follow shared concepts: cited pairs share labels more often than random pairs', () => {
  const patents = generatePatents(landscapeOf('assistive-devices'), { patents: 300, seed: 3 });
  const byId = new Map(patents.map((patent) => [patent.id, patent]));
  const share = (a: readonly string[], b: readonly string[]) => (a.some((label) => b.includes(label)) ? 1 : 0);
  const cited = patents.flatMap((a) =>
    a.cites.flatMap(({ id }) => (byId.has(id) ? [share(a.labels, byId.get(id)!.labels)] : [])),
  );
  const random = patents.map((a, at) => share(a.labels, patents[(at * 131 + 17) % patents.length]!.labels));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(mean(cited) > mean(random) + 0.3, `cited ${mean(cited)}, random ${mean(random)}`);
});

test('no two landscapes share a publication number, however long they are', () => {
  const [a, b] = names.map((name) => generatePatents(landscapeOf(name), { patents: 5000, seed: 2026 }));
  const numbers = new Set(a!.map(({ id }) => id));
  assert.equal(b!.filter(({ id }) => numbers.has(id)).length, 0);
});

test('another seed gives other patents, the same seed the same', () => {
  const make = (seed: number) =>
    JSON.stringify(generatePatents(landscapeOf('greenhouse-robots'), { patents: 40, seed }));
  assert.equal(make(1), make(1));
  assert.notEqual(make(1), make(2));
});

test('a landscape with a fault is refused with file and field', () => {
  assert.throws(() => parseLandscape('name: x\n', 'x.yaml'), /x\.yaml|expected/i);
});
