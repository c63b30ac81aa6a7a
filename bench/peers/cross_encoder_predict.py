"""sentence-transformers' CrossEncoder on the pairs of bench/rerank.ts; prints "ready", then the seconds of each job.

usage: cross_encoder_predict.py MODEL_FOLDER THREADS      a line of stdin: a JSON file with a list of pairs, and where to
write their raw scores as JSON
"""

import json
import sys
import time

import torch
from sentence_transformers import CrossEncoder

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
model = CrossEncoder(folder, device="cpu")
raw = torch.nn.Identity()
model.predict([("a lens", "a probe")] * 32, batch_size=32, show_progress_bar=False)
print("ready", flush=True)
for line in sys.stdin:
    with open(line.strip(), encoding="utf-8") as file:
        job = json.load(file)
    pairs = [tuple(pair) for pair in job["pairs"]]
    started = time.perf_counter()
    scores = model.predict(pairs, batch_size=32, show_progress_bar=False, activation_fn=raw)
    seconds = time.perf_counter() - started
    with open(job["scores"], "w", encoding="utf-8") as file:
        json.dump([float(score) for score in scores], file)
    print(seconds, flush=True)
