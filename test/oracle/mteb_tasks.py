"""MTEB's own patent tasks on a folder of data, and MTEB's reading of result files; prints one JSON document.

  mteb_tasks.py run DATA MODEL TASK...   scores of MTEB's task classes, whose data is read from DATA instead of the hub
  mteb_tasks.py read OUT                 what MTEB reads of OUT/results: by TaskResult.from_disk and by ResultCache
"""

import json
import sys
from pathlib import Path

import mteb
import numpy as np
from datasets import Dataset, DatasetDict
from mteb.abstasks import abstask
from mteb.cache import ResultCache
from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper
from mteb.results import TaskResult
from mteb.tasks.retrieval.eng import dapfam_patent_retrieval as dapfam
from sentence_transformers import SentenceTransformer


def table(folder, *patterns):
    files = sorted(path for pattern in patterns for path in folder.glob(pattern))
    read = Dataset.from_parquet if files[0].suffix == ".parquet" else Dataset.from_json
    return read([str(path) for path in files])


def local_data(data):
    """Stands in for datasets.load_dataset."""

    def load(path, name=None, split=None, **_):
        folder = data / path.split("/")[1]
        if name is not None:
            return table(folder, {"relations": "qrels_all"}.get(name, name) + ".parquet")
        return DatasetDict(
            {part: table(folder, f"{part}*.*", f"data/{part}*.*") for part in ("train", "test") if list(folder.rglob(f"{part}*.*"))}
        )

    return load


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else float(value)
    return value


def run(data, model, *names):
    dapfam.load_dataset = abstask.load_dataset = local_data(Path(data))
    encoder = SentenceTransformerEncoderWrapper(SentenceTransformer(model, device="cpu"))
    result = {}
    for name in names:
        task = mteb.get_task(name)
        [split] = task.metadata.eval_splits
        result[name] = task.evaluate(encoder, split, encode_kwargs={"show_progress_bar": False})["default"]
    return plain(result)


def read(out):
    files = [TaskResult.from_disk(path, load_historic_data=False) for path in sorted(Path(out).glob("results/*/*/*.json")) if path.name != "model_meta.json"]
    loaded = ResultCache(out).load_results(include_remote=False)
    return {
        "files": {file.task_name: {"main": file.main_score, "splits": file.eval_splits, "languages": file.languages} for file in files},
        "cache": {
            model.model_name: {result.task_name: result.main_score for result in model.task_results}
            for model in loaded.model_results
        },
    }


if __name__ == "__main__" and len(sys.argv) > 1:
    print(json.dumps({"run": run, "read": read}[sys.argv[1]](*sys.argv[2:])))
