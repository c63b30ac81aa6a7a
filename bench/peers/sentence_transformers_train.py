"""sentence-transformers' own trainer on the pairs of bench/trainer.ts; prints a line when ready, then the seconds of each round.

usage: sentence_transformers_train.py MODEL_FOLDER THREADS CHUNK dropout|none      CHUNK 0: no GradCache; none: rates of dropout 0

A line of stdin names a JSON file {"pairs": [[anchor, positive], ...], "batch", "steps", "length"}. Timed is what
SentenceTransformerTrainer does between the begin and the end of an epoch: shuffling, tokenising, padding, forward and backward
pass of MultipleNegativesRankingLoss (CachedMultipleNegativesRankingLoss with a CHUNK), clipping, fused AdamW; not its set-up.
Nothing is logged, saved or evaluated.
"""

import json
import sys
import tempfile
import time

import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.losses import CachedMultipleNegativesRankingLoss, MultipleNegativesRankingLoss
from transformers import TrainerCallback

answers, sys.stdout = sys.stdout, sys.stderr  # the trainer prints on its own
folder, threads, chunk, dropout = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)
model = SentenceTransformer(folder, device="cpu")
for module in model.modules():
    if dropout == "none" and isinstance(module, torch.nn.Dropout):
        module.p = 0.0
loss = CachedMultipleNegativesRankingLoss(model, mini_batch_size=chunk) if chunk else MultipleNegativesRankingLoss(model)


class Clock(TrainerCallback):
    def on_epoch_begin(self, *args, **kwargs):
        self.started = time.perf_counter()

    def on_epoch_end(self, *args, **kwargs):
        self.seconds = time.perf_counter() - self.started


print("ready", file=answers, flush=True)
for line in sys.stdin:
    with open(line.strip(), encoding="utf-8") as file:
        job = json.load(file)
    model.max_seq_length = job["length"]
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        arguments = SentenceTransformerTrainingArguments(
            scratch,
            per_device_train_batch_size=job["batch"],
            max_steps=job["steps"],
            learning_rate=2e-5,
            warmup_ratio=0.1,
            use_cpu=True,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = SentenceTransformerTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_dict(dict(zip(["anchor", "positive"], zip(*job["pairs"])))),
            loss=loss,
            callbacks=[clock],
        )
        trainer.train()
    print(clock.seconds, file=answers, flush=True)
