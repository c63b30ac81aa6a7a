"""scikit-learn's KMeans and MiniBatchKMeans, staying between jobs: prints "ready", then the seconds of `fit` for each job.

usage: kmeans.py threads; a job is a JSON file: kind, vectors and start (float32 files), rows, dimensions, clusters, options,
and the file that takes the labels (int32), the inertia and the iterations.
"""

import json
import os
import sys
import time

threads = sys.argv[1]
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = threads

import numpy as np  # noqa: E402
from sklearn.cluster import KMeans, MiniBatchKMeans  # noqa: E402

print("ready", flush=True)
for line in sys.stdin:
    with open(line.strip()) as file:
        job = json.load(file)
    vectors = np.fromfile(job["vectors"], dtype="<f4").reshape(job["rows"], job["dimensions"])
    start = np.fromfile(job["start"], dtype="<f4").reshape(job["clusters"], job["dimensions"])
    kind = {"full": KMeans, "mini-batch": MiniBatchKMeans}[job["kind"]]
    model = kind(job["clusters"], init=start, n_init=1, **job["options"])
    started = time.perf_counter()
    model.fit(vectors)
    seconds = time.perf_counter() - started
    model.labels_.astype("<i4").tofile(job["labels"])
    with open(job["answer"], "w") as file:
        steps = model.n_iter_ if job["kind"] == "full" else model.n_steps_
        json.dump({"inertia": float(model.inertia_), "iterations": int(steps)}, file)
    print(seconds, flush=True)
