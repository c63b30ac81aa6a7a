"""numpy or scipy on the same task as bench/bootstrap.ts; prints the seconds.

usage: bootstrap.py means|pairs SYSTEMS QUERIES
"""
import itertools
import sys
import time

import numpy as np
import scipy.stats

task, systems, queries = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(1)
difficulty = rng.random(queries) ** 2
values = difficulty + 0.1 * rng.normal(size=(systems, queries))
started = time.perf_counter()
if task == "means":
    blocks = []
    for _ in range(20):
        drawn = rng.integers(0, queries, (500, queries))
        blocks.append([column[drawn].mean(axis=1) for column in values])
    np.percentile(np.concatenate(blocks, axis=1), [2.5, 97.5], axis=1)
else:
    for a, b in itertools.combinations(values, 2):
        scipy.stats.bootstrap((a - b,), np.mean, n_resamples=10_000, batch=500, method="BCa", random_state=1)
        scipy.stats.permutation_test((a, b), lambda x, y, axis: np.mean(x - y, axis=axis), vectorized=True,
                                     permutation_type="samples", n_resamples=10_000, batch=500, random_state=1)
print(time.perf_counter() - started)
