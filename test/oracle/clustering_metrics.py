"""Fixture for test/metrics/clustering.test.ts: random and degenerate clusterings with what scikit-learn says of them; purity
from its contingency matrix. The larger case holds its label lists as a seedless formula, which the test repeats.
"""
import json
import pathlib

import numpy as np
from sklearn import metrics
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

out = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "metrics" / "clustering.json"
rng = np.random.default_rng(42)


def scores(truth, assigned):
    h, c, v = metrics.homogeneity_completeness_v_measure(truth, assigned)
    table = contingency_matrix(truth, assigned)
    return {
        "homogeneity": h, "completeness": c, "vMeasure": v,
        "ari": metrics.adjusted_rand_score(truth, assigned), "ami": metrics.adjusted_mutual_info_score(truth, assigned),
        "nmi": metrics.normalized_mutual_info_score(truth, assigned), "purity": float(table.max(axis=0).sum() / table.sum()),
    }


def case(name, truth, assigned):
    truth, assigned = np.asarray(truth, int), np.asarray(assigned, int)
    emi = expected_mutual_information(contingency_matrix(truth, assigned, sparse=True), len(truth))
    return {"name": name, "truth": truth.tolist(), "assigned": assigned.tolist(), "emi": float(emi), "metrics": scores(truth, assigned)}


cases = []
for i in range(24):
    documents, classes, clusters = int(rng.integers(2, 90)), int(rng.integers(1, 9)), int(rng.integers(1, 12))
    truth = rng.integers(0, classes, documents)
    assigned = np.where(rng.random(documents) < i / 24, truth * 3 - 4, rng.integers(0, clusters, documents))
    cases.append(case(f"random {i}", truth, assigned))
n = 20
truth = rng.integers(0, 4, n)
one, own = np.zeros(n, int), np.arange(n)
cases += [
    case("one cluster", truth, one),
    case("one class", one, truth),
    case("one class and one cluster", one, one),
    case("each document its own cluster", truth, own),
    case("each document its own class", own, truth),
    case("each its own in both", own, own[::-1]),
    case("equal partitions, other names", truth, 7 - truth),
    case("one document", [3], [5]),
    case("two documents apart", [0, 1], [0, 0]),
    case("independent", np.repeat([0, 1], 8), np.tile([0, 1], 8)),
    case("every class split", np.repeat(range(5), 4), np.arange(20) // 2),
]
large = np.arange(6000)
large_truth = (large * large) % 7919 % 83
large_assigned = np.where(large % 3 == 0, large_truth % 16, (large * 31) % 101 % 16)
result = {"cases": cases, "large": {"metrics": scores(large_truth, large_assigned)}}
out.write_text(json.dumps(result, separators=(",", ":")) + "\n")
