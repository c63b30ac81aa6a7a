/**
 * Coverage of intervals of clustering measures, over families of documents. Plain BCa, shown beside it, takes for bias what
 * comes from documents drawn twice, and misses the expected value nearly always.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../../src/base/random.ts';
import { clusteringMeasures } from '../../src/metrics/clustering.ts';
import { bootstrapClustering } from '../../src/metrics/clustering-bootstrap.ts';
import { bcaInterval, expandedQuantile, leaveOneOutAcceleration } from '../../src/metrics/interval.ts';
import { estimateReplicated } from '../../src/metrics/replicates.ts';

for (const { documents, classes, clusters } of [
  { documents: 300, classes: 8, clusters: 10 },
  { documents: 600, classes: 20, clusters: 12 },
]) {
  test(`coverage: ${documents} documents, ${classes} classes, ${clusters} clusters`, { timeout: 300_000 }, (t) => {
    const random = stream(4, 'clusterings', documents);
    const repeats = 500;
    const rows = Array.from({ length: repeats }, (_, seed) => {
      const [truth, assigned, families]: [number[], number[], number[]] = [[], [], []];
      for (let family = 0; truth.length < documents; family++) {
        const of = Math.floor(classes * random.uniform() ** 1.5);
        const cluster = random.uniform() < 0.5 ? of % clusters : random.integer(clusters);
        for (let member = 0; member <= random.integer(3); member++) {
          truth.push(random.uniform() < 0.8 ? of : random.integer(classes));
          assigned.push(random.uniform() < 0.7 ? cluster : random.integer(clusters));
          families.push(family);
        }
      }
      return bootstrapClustering(truth, assigned, families, { resamples: 400, seed });
    });
    for (const measure of clusteringMeasures) {
      const values = rows.map((row) => row[measure]);
      const expected = values.reduce((sum, { value }) => sum + value, 0) / repeats;
      const share = (holds: (own: (typeof values)[number]) => { lower: number; upper: number }) =>
        values.map(holds).filter(({ lower, upper }) => lower <= expected && expected <= upper).length / repeats;
      const ours = share((own) => estimateReplicated(own));
      const plain = share(({ value, replicates, jackknife, clusters: groups }) =>
        bcaInterval(
          replicates.slice().sort(),
          value,
          leaveOneOutAcceleration(jackknife!),
          expandedQuantile(0.95, groups!),
        ),
      );
      t.diagnostic(`${measure}: ${(100 * ours).toFixed(1)} % covered, plain BCa ${(100 * plain).toFixed(1)} %`);
      assert.ok(ours > 0.925 && ours < 0.99, `${measure} ${ours}`);
      assert.ok(plain < 0.9, `${measure}: plain BCa ${plain}`);
    }
  });
}
