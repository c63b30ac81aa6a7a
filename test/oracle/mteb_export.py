"""MTEB itself on small invented data -> test/fixtures/mteb/*.json: what it draws, ranks, assigns, predicts and scores.

Texts are "row 17"; the model is a table of integer vectors, so that the fixtures can hold it whole. Retrieval has tied documents
and a query whose relevant document is not in the corpus; classification is run with four labels and with two. The scores of
ten seeds on the same vectors say how far MTEB's own draws move its result.
"""

import json
import random
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import mteb
import numpy as np
from datasets import Dataset, DatasetDict
from mteb.abstasks.classification import AbsTaskClassification
from mteb.abstasks.clustering import AbsTaskClustering
from mteb.abstasks.clustering_legacy import AbsTaskClusteringLegacy
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.cache import ResultCache
from mteb.models.model_meta import ModelMeta
from mteb.similarity_functions import cos_sim, pairwise_cos_sim

OUT = Path(__file__).parent.parent / "fixtures" / "mteb"
DIMENSIONS = 8
SEEDS = list(range(42, 52))


class Table:
    """An encoder that looks its texts up."""

    def __init__(self, vectors):
        self.vectors = vectors
        self.mteb_model_meta = ModelMeta.create_empty(overwrites=dict(name="invented/table", revision="1"))

    def encode(self, inputs, *, task_metadata, hf_split, hf_subset, prompt_type=None, **kwargs):
        texts = [text for batch in inputs for text in batch["text"]]
        return np.array([self.vectors[text] for text in texts], dtype=np.float32)

    def similarity(self, a, b):
        return cos_sim(a, b)

    def similarity_pairwise(self, a, b):
        return pairwise_cos_sim(a, b)


def metadata(name, kind, main_score, split):
    return TaskMetadata(
        name=name, description="invented", reference=None, type=kind, category="t2t", modalities=["text"],
        eval_splits=[split], eval_langs=["eng-Latn"], main_score=main_score, date=None, domains=[], task_subtypes=[],
        license="mit", annotations_creators="derived", dialect=[], sample_creation="created", bibtex_citation="",
        dataset={"path": "invented/data", "revision": "1"},
    )


def blobs(rng, labels, count, spread):
    """Integer vectors around one centre a label, and the labels."""
    centres = rng.integers(-40, 41, size=(labels, DIMENSIONS))
    of = rng.integers(0, labels, size=count)
    return np.clip(centres[of] + rng.normal(0, spread, size=(count, DIMENSIONS)).round(), -99, 99).astype(int), of


def predictions_of(task, model, split):
    """Scores of a run and the predictions it saved."""
    with tempfile.TemporaryDirectory() as folder:
        scores = task.evaluate(model, split, encode_kwargs={}, prediction_folder=Path(folder))["default"]
        saved = json.loads((Path(folder) / task.prediction_file_name).read_text())["default"][split]
    return scores, saved


def written(task, model):
    """The result file as MTEB writes it, but for its times."""
    with tempfile.TemporaryDirectory() as folder:
        mteb.evaluate(model, task, cache=ResultCache(folder), co2_tracker=False, show_progress_bar=False)
        [path] = Path(folder).glob(f"results/*/*/{task.metadata.name}.json")
        times = {"evaluation_time": 0, "date": 0, "evaluation_phases": None}
        return path.relative_to(folder).as_posix(), json.loads(path.read_text()) | times


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else float(value)
    return value


def save(name, content):
    OUT.mkdir(parents=True, exist_ok=True)
    head = {"mteb": version("mteb"), "scikit-learn": version("scikit-learn"), "numpy": version("numpy")}
    path = OUT / f"{name}.json"
    path.write_text(json.dumps({"versions": head, **plain(content)}, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size)


# --- retrieval ---


class InventedRetrieval(AbsTaskRetrieval):
    metadata = metadata("InventedRetrieval", "Retrieval", "ndcg_at_100", "train")

    def load_data(self, **kwargs):
        if self.data_loaded:
            return
        self.corpus, self.queries, self.relevant_docs = ({"train": part} for part in self.given)
        self.data_loaded = True


def retrieval():
    rng = np.random.default_rng(1)
    documents, topic = blobs(rng, 6, 60, 25)
    documents[10:14] = documents[10]  # equal scores, to be ordered by id
    documents[40:42] = documents[40]
    queries, query_topic = blobs(rng, 6, 40, 35)
    corpus = {f"d{i}": {"title": f"row {i}" if i % 2 else "", "text": "" if i % 2 else f"row {i}"} for i in range(60)}
    relevant = {
        f"q{q}": {f"d{d}": 1 for d in range(60) if topic[d] == query_topic[q] and rng.random() < 0.4} for q in range(40)
    }
    relevant["q3"] = {"absent": 1}
    relevant["q4"] = {}
    for ties in ("q5", "q6"):
        relevant[ties] |= {"d11": 1, "d40": 1}
    vectors = {f"row {i}": documents[i] for i in range(60)} | {f"query {q}": queries[q] for q in range(40)}
    task = InventedRetrieval()
    task.given = (corpus, {f"q{q}": f"query {q}" for q in range(40)}, relevant)
    path, result = written(task, Table(vectors))
    task = InventedRetrieval()
    task.given = (corpus, {f"q{q}": f"query {q}" for q in range(40)}, relevant)
    scores, run = predictions_of(task, Table(vectors), "train")
    save("retrieval", {
        "documents": documents.tolist(), "queries": queries.tolist(),
        "relevant": {query: list(found) for query, found in relevant.items()},
        "run": {query: [list(of), [float(np.float32(score)) for score in of.values()]] for query, of in run.items()},
        "scores": scores, "path": path, "result": result,
    })


# --- classification ---


class InventedClassification(AbsTaskClassification):
    metadata = metadata("InventedClassification", "Classification", "accuracy", "test")

    def load_data(self, **kwargs):
        self.dataset = self.given
        self.data_loaded = True


def classification(labels):
    rng = np.random.default_rng(labels)
    train, train_labels = blobs(rng, labels, 260, 45)
    test = train[200:] + rng.integers(-9, 10, size=(60, DIMENSIONS))
    test_labels = train_labels[200:].copy()
    flip = rng.random(60) < 0.2
    test_labels[flip] = rng.integers(0, labels, size=flip.sum())
    train, train_labels = train[:200], train_labels[:200]
    # About as long as embeddings are: on long vectors 100 iterations do not suffice, and what they end at is the solver's.
    vectors = {f"row {i}": train[i] / 100 for i in range(200)} | {f"test {i}": test[i] / 100 for i in range(60)}
    given = DatasetDict({
        "train": Dataset.from_dict({"text": [f"row {i}" for i in range(200)], "label": train_labels.tolist()}),
        "test": Dataset.from_dict({"text": [f"test {i}" for i in range(60)], "label": test_labels.tolist()}),
    })

    def task(seed):
        made = InventedClassification(seed=seed)
        made.given = given
        return made

    made = task(42)
    made.load_data()
    rows, order = [], None
    for experiment in range(made.n_experiments):
        _, order, chosen = made._undersample_data(given["train"], experiment, order)
        rows.append(chosen)
    scores, predicted = predictions_of(task(42), Table(vectors), "test")
    path, result = written(task(42), Table(vectors))
    seeds = {seed: task(seed).evaluate(Table(vectors), "test", encode_kwargs={})["default"] for seed in SEEDS}
    return {
        "train": train.tolist(), "trainLabels": train_labels, "test": test.tolist(), "testLabels": test_labels,
        "rows": rows, "predicted": predicted, "scores": scores, "path": path, "result": result,
        "seeds": {seed: {key: of[key] for key in ("accuracy", "f1", "f1_weighted")} for seed, of in seeds.items()},
    }


# --- clustering ---


class InventedClustering(AbsTaskClustering):
    metadata = metadata("InventedClustering", "Clustering", "v_measure", "test")
    max_depth = 1
    max_fraction_of_documents_to_embed = 0.3
    max_documents_per_cluster = 150

    def load_data(self, **kwargs):
        self.dataset = self.given
        self.data_loaded = True


class InventedSets(AbsTaskClusteringLegacy):
    metadata = metadata("InventedSets", "Clustering", "v_measure", "test")

    def load_data(self, **kwargs):
        self.dataset = self.given
        self.data_loaded = True


def clustering():
    rng = np.random.default_rng(7)
    vectors, labels = blobs(rng, 4, 400, 32)
    table = Table({f"row {i}": vectors[i] for i in range(400)})
    flat = DatasetDict({"test": Dataset.from_dict({"sentences": [f"row {i}" for i in range(400)], "labels": labels.tolist()})})
    bounds = [0, 150, 260, 400]
    parts = [list(range(a, b)) for a, b in zip(bounds, bounds[1:])]
    sets = DatasetDict({"test": Dataset.from_dict({
        "sentences": [[f"row {i}" for i in part] for part in parts] + [["row 1", "row 2"]],
        "labels": [[int(labels[i]) for i in part] for part in parts] + [[1, 1]],
    })})

    def run(kind, given, seed):
        task = kind(seed=seed)
        task.given = given
        return task

    result = {"vectors": vectors.tolist(), "labels": labels, "bounds": bounds}
    for name, kind, given in (("bootstraps", InventedClustering, flat), ("sets", InventedSets, sets)):
        scores, assigned = predictions_of(run(kind, given, 42), table, "test")
        path, file = written(run(kind, given, 42), table)
        seeds = {seed: run(kind, given, seed).evaluate(table, "test", encode_kwargs={})["default"] for seed in SEEDS}
        result[name] = {
            "assigned": assigned, "scores": scores, "path": path, "result": file,
            "seeds": {seed: {key: of[key] for key in ("v_measure", "ami") if key in of} for seed, of in seeds.items()},
        }
    stream = random.Random(42)
    rows = stream.sample(range(400), k=int(0.3 * 400))
    result["bootstraps"]["rows"] = rows
    result["bootstraps"]["places"] = [stream.choices(range(len(rows)), k=150) for _ in range(10)]
    return result


# --- draws ---


def draws():
    floyd = np.random.default_rng(7)
    labels = np.random.default_rng(3).choice(5, size=500, p=[0.4, 0.3, 0.2, 0.07, 0.03])
    from mteb.abstasks.abstask import AbsTask

    data = DatasetDict({"test": Dataset.from_dict({"row": list(range(500)), "label": [f"c{label}" for label in labels]})})
    sampled = AbsTask.stratified_subsampling(data, 42, ["test"], n_samples=120)["test"]["row"]
    return {
        "generator": {
            "permutation": floyd.permutation(40), "choice": floyd.choice(np.arange(100, 120), 7, replace=False),
            "again": floyd.permutation(9),
        },
        "stratified": {"labels": labels, "rows": list(sampled)},
        "rounded": [[value, round(value, 5)] for value in [1 / 64, 3 / 64, 0.1234565, 0.5, 1 / 3, 2 / 3, 0.000015, 7 / 64]],
    }


def numbers(value):
    return value.tolist() if isinstance(value, np.ndarray) else {k: numbers(v) for k, v in value.items()} if isinstance(value, dict) else value


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["draws", "retrieval", "classification", "clustering"]
    if "draws" in wanted:
        save("draws", numbers(draws()))
    if "retrieval" in wanted:
        retrieval()
    if "classification" in wanted:
        save("classification", {"four": numbers(classification(4)), "two": numbers(classification(2))})
    if "clustering" in wanted:
        save("clustering", numbers(clustering()))
