"""Fixture for test/metrics/hierarchical.test.ts: the bootstrap over seeds and families of queries, written out in numpy.

Each resample draws families of queries with replacement, the same for all systems and seeds; then, for each system, as many
seeds as it has, with replacement. Deviations of drawn seeds from the mean over seeds are widened by sqrt(K / (K - 1)). Quantiles
of the replicates are widened about the observed value from normal to Student's, with Satterthwaite's degrees of freedom of
the sum of the variances of queries and of each system's seeds. p is the share of centred replicates, widened likewise.
"""
import json
import pathlib

import numpy as np
import scipy.stats

out = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "metrics" / "hierarchical.json"
RESAMPLES = 200_000


def cluster_variance(values, clusters):
    """Variance of a mean over queries, by linearisation over families."""
    names = np.unique(clusters)
    residuals = np.array([(values[clusters == c] - values.mean()).sum() for c in names]) / len(values)
    return len(names) / (len(names) - 1) * (residuals**2).sum()


def replicate(system, members, sizes, drawn, rng):
    """system: seeds x queries -> one mean a resample."""
    sums = np.stack([[values[m].sum() for m in members] for values in system])  # seeds x families
    means = sums[:, drawn].sum(axis=2) / sizes[drawn].sum(axis=1)  # seeds x resamples
    seeds = len(system)
    if seeds == 1:
        return means[0]
    chosen = rng.integers(0, seeds, (seeds, drawn.shape[0]))
    picked = np.take_along_axis(means, chosen, axis=0).mean(axis=0)
    centre = means.mean(axis=0)
    return centre + np.sqrt(seeds / (seeds - 1)) * (picked - centre)


def compare(a, b, clusters, rng):
    names = np.unique(clusters)
    members = [np.flatnonzero(clusters == c) for c in names]
    sizes = np.array([len(m) for m in members], dtype=float)
    drawn = rng.integers(0, len(names), (RESAMPLES, len(names)))
    difference = a.mean() - b.mean()
    replicates = replicate(a, members, sizes, drawn, rng) - replicate(b, members, sizes, drawn, rng)
    parts = [(cluster_variance(a.mean(axis=0) - b.mean(axis=0), clusters), len(names) - 1)]
    parts += [(s.mean(axis=1).var(ddof=1) / len(s), len(s) - 1) for s in (a, b) if len(s) > 1]
    total = sum(v for v, _ in parts)
    freedom = total**2 / sum(v**2 / f for v, f in parts)
    widen = scipy.stats.t.ppf(0.975, freedom) / scipy.stats.norm.ppf(0.975)
    low, high = np.quantile(replicates, [0.025, 0.975])
    p = (1 + (np.abs(replicates - difference) >= abs(difference) / widen).sum()) / (1 + RESAMPLES)
    return {
        "difference": difference,
        "lower": difference + widen * (low - difference),
        "upper": difference + widen * (high - difference),
        "p": p,
    }


rng = np.random.default_rng(11)
cases = []
for seeds_a, seeds_b, queries, effect in [(5, 5, 60, 0.03), (3, 1, 90, 0.05), (10, 3, 40, 0.0)]:
    clusters = rng.integers(0, queries // 2, queries)
    difficulty = rng.beta(0.6, 1.5, queries)
    family = rng.normal(0, 0.05, queries)[clusters]

    def system(seeds, gain):
        luck = rng.normal(0, 0.02, (seeds, 1))
        return np.clip(difficulty + gain * family + luck + rng.normal(0, 0.1, (seeds, queries)) + gain, 0, 1).round(6)

    a, b = system(seeds_a, effect), system(seeds_b, 0)
    cases.append({"clusters": clusters.tolist(), "a": a.tolist(), "b": b.tolist(), **compare(a, b, clusters, rng)})
out.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
