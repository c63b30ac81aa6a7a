"""sentence-transformers on the texts of bench/encode.ts; prints a line when ready, then the seconds of each round asked for.

usage: sentence_transformers_encode.py MODEL_FOLDER THREADS      a line of stdin: a JSON file with a list of texts
"""

import json
import sys
import time

import torch
from sentence_transformers import SentenceTransformer

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
model = SentenceTransformer(folder, device="cpu")
model.encode(["a lens"] * 32, batch_size=32, show_progress_bar=False)
print("ready", flush=True)
for line in sys.stdin:
    with open(line.strip(), encoding="utf-8") as file:
        texts = json.load(file)
    started = time.perf_counter()
    model.encode(texts, batch_size=32, show_progress_bar=False)
    print(time.perf_counter() - started, flush=True)
