"""bm25s with numba on one thread, driven line by line: reads a job from stdin, answers timings on stdout.

Jobs: {"index": corpus.bin} builds; {"search": queries.bin, "k": k} searches all queries, one thread.
A .bin file is int32 little-endian: count, lengths, ids of all documents one after another.
"""

import json
import sys
import time

import bm25s
import numpy as np


def read(path):
    data = np.fromfile(path, dtype="<i4")
    count = int(data[0])
    ends = np.cumsum(data[1 : count + 1])
    return [part.tolist() for part in np.split(data[count + 1 :], ends[:-1])]


loaded = {}
index = None
for line in sys.stdin:
    job = json.loads(line)
    if "index" in job:
        corpus = read(job["index"])
        vocabulary = {str(i): i for i in range(max(map(max, filter(None, corpus))) + 1)}
        index = bm25s.BM25(method="lucene", backend="numba")
        started = time.perf_counter()
        index.index((corpus, vocabulary), show_progress=False, create_empty_token=False)
        seconds = time.perf_counter() - started
        index.unique_token_ids_set = set(vocabulary.values())
        loaded.clear()
    else:
        path = job["search"]
        if path not in loaded:
            loaded[path] = read(path)
            index.retrieve(loaded[path][:2], k=job["k"], n_threads=1, show_progress=False)  # compiles
        started = time.perf_counter()
        found = index.retrieve(loaded[path], k=job["k"], n_threads=1, show_progress=False)
        seconds = time.perf_counter() - started
        top = found.scores[:, 0]
    print(json.dumps({"seconds": seconds, "top": 0 if "index" in job else float(top.sum()), "version": bm25s.__version__}), flush=True)
