"""k-means by scikit-learn -> test/fixtures/cluster/kmeans.json: Lloyd and mini-batch from given starts and from seeds.

Vectors are invented by a generator that the test repeats (64 bit floats rounded to 32, given to scikit-learn as float64), so
that the fixture holds only what scikit-learn makes of them. Mini-batch runs are drawn by NumPy's RandomState, which the test
has too: the same steps are expected, not only like results.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans, kmeans_plusplus
from sklearn.manifold import trustworthiness


def generator(seed):
    """The linear congruential generator of Numerical Recipes, 32 bits: the same in every language."""
    state = seed
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield state / 2**32


def vectors(seed, rows, dimensions, groups, spread, offset):
    """Groups of points around random middles; `offset` from the origin."""
    draw = generator(seed)
    middles = [[next(draw) - 0.5 for _ in range(dimensions)] for _ in range(groups)]
    made = []
    for _ in range(rows):
        middle = middles[int(next(draw) * groups)]
        made.append([offset + value + spread * (next(draw) + next(draw) + next(draw) - 1.5) for value in middle])
    return np.array(made).astype(np.float32).astype(np.float64)


def rounded(values, digits=12):
    return [float(f"{value:.{digits}g}") for value in np.asarray(values).ravel()]


CASES = [
    {"seed": 1, "rows": 500, "dimensions": 7, "groups": 6, "spread": 0.2, "offset": 0, "clusters": 6},
    {"seed": 2, "rows": 700, "dimensions": 16, "groups": 9, "spread": 0.6, "offset": 0, "clusters": 13},
    {"seed": 3, "rows": 300, "dimensions": 3, "groups": 4, "spread": 1.0, "offset": 100, "clusters": 8},
    {"seed": 4, "rows": 400, "dimensions": 5, "groups": 3, "spread": 0.3, "offset": 0, "clusters": 2},
    {"seed": 5, "rows": 50, "dimensions": 4, "groups": 3, "spread": 0.3, "offset": 0, "clusters": 1},
]

lloyd = []
for case in CASES:
    data = vectors(*(case[key] for key in ("seed", "rows", "dimensions", "groups", "spread", "offset")))
    for tolerance, iterations in ((1e-4, 300), (0, 300), (1e-2, 300), (0, 3)):
        start = data[: case["clusters"]]
        found = KMeans(case["clusters"], init=start, n_init=1, tol=tolerance, max_iter=iterations).fit(data)
        lloyd.append(
            {
                **case,
                "tolerance": tolerance,
                "maxIterations": iterations,
                "labels": found.labels_.tolist(),
                "centres": rounded(found.cluster_centers_),
                "inertia": float(found.inertia_),
                "iterations": int(found.n_iter_),
            }
        )

# A start far away from all vectors: its cluster is empty after the first step and is moved.
moved = []
for case in CASES[:3]:
    data = vectors(*(case[key] for key in ("seed", "rows", "dimensions", "groups", "spread", "offset")))
    start = data[: case["clusters"]].copy()
    start[1] += 1000
    found = KMeans(case["clusters"], init=start, n_init=1).fit(data)
    moved.append(
        {
            **case,
            "labels": found.labels_.tolist(),
            "inertia": float(found.inertia_),
            "iterations": int(found.n_iter_),
        }
    )

seeding = []
for case in CASES:
    data = vectors(*(case[key] for key in ("seed", "rows", "dimensions", "groups", "spread", "offset")))
    for seed in (0, 1, 2):
        _, rows = kmeans_plusplus(data - data.mean(axis=0), case["clusters"], random_state=seed)
        seeding.append({**case, "randomState": seed, "chosen": rows.tolist()})

batches = []
for case in CASES:
    data = vectors(*(case[key] for key in ("seed", "rows", "dimensions", "groups", "spread", "offset")))
    for options in (
        {"batch_size": 100},
        {"batch_size": 40, "n_init": 3, "max_no_improvement": 3},
        {"batch_size": 30, "reassignment_ratio": 0.5, "init_size": 20, "max_iter": 5},
        {"batch_size": 60, "tol": 1e-2},
    ):
        for seed in (0, 42):
            found = MiniBatchKMeans(case["clusters"], random_state=seed, **{"n_init": "auto", **options}).fit(data)
            batches.append(
                {
                    **case,
                    "options": options,
                    "randomState": seed,
                    "labels": found.labels_.tolist(),
                    "centres": rounded(found.cluster_centers_),
                    "inertia": float(found.inertia_),
                    "steps": int(found.n_steps_),
                }
            )

# Inertia over seeds, for the distribution of our own stream.
case = CASES[1]
data = vectors(*(case[key] for key in ("seed", "rows", "dimensions", "groups", "spread", "offset")))
inertias = {
    "full": [float(KMeans(case["clusters"], n_init=1, random_state=s).fit(data).inertia_) for s in range(60)],
    "miniBatch": [
        float(MiniBatchKMeans(case["clusters"], batch_size=100, n_init=1, random_state=s).fit(data).inertia_)
        for s in range(60)
    ],
}

trust = []
for case in CASES[:4]:
    data = vectors(*(case[key] for key in ("seed", "rows", "dimensions", "groups", "spread", "offset")))[:120]
    for neighbours in (3, 15):
        value = trustworthiness(data, data[:, :2], n_neighbors=neighbours)
        trust.append({**case, "rows": 120, "made": case["rows"], "neighbours": neighbours, "value": float(value)})

path = Path(__file__).parent.parent / "fixtures" / "cluster" / "kmeans.json"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(
    json.dumps(
        {
            "scikitLearn": version("scikit-learn"),
            "lloyd": lloyd,
            "moved": moved,
            "seeding": seeding,
            "miniBatch": batches,
            "inertias": {**CASES[1], **inertias},
            "trustworthiness": trust,
        }
    )
    + "\n"
)
print(f"{path.name}: {len(lloyd)} full, {len(batches)} mini-batch runs, {path.stat().st_size} bytes")
