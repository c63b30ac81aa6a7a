"""scikit-learn's k-NN and logistic regression on the rows of bench/probes.ts. Prints "ready", then for each job (a JSON file) its seconds.

A job: {"what": "knn" | "logistic", "rows": FILE, "labels": FILE, "dimensions": D, "queries"?: FILE, "tolerance"?, "iterations"?}.
Threads: OMP_NUM_THREADS, which the benchmark sets.
"""

import json
import sys
import time
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier

warnings.filterwarnings("ignore")
print("ready", flush=True)
for line in sys.stdin:
    with open(line.strip()) as file:
        job = json.load(file)
    rows = np.fromfile(job["rows"], np.float32).reshape(-1, job["dimensions"])
    labels = np.fromfile(job["labels"], np.uint8).reshape(len(rows), -1)
    if job["what"] == "knn":
        queries = np.fromfile(job["queries"], np.float32).reshape(-1, job["dimensions"])
        started = time.perf_counter()
        model = KNeighborsClassifier(n_neighbors=5).fit(rows, labels)
        model.kneighbors(queries) if job["neighbours"] else model.predict(queries)
    else:
        started = time.perf_counter()
        logistic = LogisticRegression(tol=job["tolerance"], max_iter=job["iterations"])
        model = OneVsRestClassifier(logistic).fit(rows, labels)
        spent = [estimator.n_iter_[0] for estimator in model.estimators_]
        print(f"scikit-learn: {np.mean(spent):.0f} iterations a label, at most {max(spent)}", file=sys.stderr, flush=True)
    print(time.perf_counter() - started, flush=True)
