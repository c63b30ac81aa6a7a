"""Classifiers on frozen vectors by scikit-learn, MTEB and iterative-stratification -> test/fixtures/classify/probes.json.

Vectors and labels are invented by a generator that the test repeats, so that the fixture holds only what the libraries say of
them. Needs mteb and iterative-stratification beside the packages of requirements.txt.
"""

import json
import warnings
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from iterstrat.ml_stratifiers import IterativeStratification
from mteb.abstasks.multilabel_classification import AbsTaskMultilabelClassification, _evaluate_classifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, label_ranking_average_precision_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

warnings.filterwarnings("ignore")


def generator(seed):
    """The linear congruential generator of Numerical Recipes, 32 bits: the same in every language."""
    state = seed
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield state / 2**32


def invent(seed, rows, dimensions, labels):
    """Vectors of one direction in common and a topic for each label; label 0 on all rows, the last one on none."""
    draw = generator(seed)
    topics = [[next(draw) - 0.5 for _ in range(dimensions)] for _ in range(labels)]
    vectors, sets = [], []
    for _ in range(rows):
        own = sorted({0} | {1 + int(next(draw) ** 2 * (labels - 2)) for _ in range(2)})
        vector = []
        for i in range(dimensions):
            value = 0.3 * i / dimensions + next(draw)
            for label in own:
                value += topics[label][i] / 2
            vector.append(value)
        vectors.append(vector)
        sets.append(own)
    return np.array(vectors, np.float32), sets


def indicators(sets, labels):
    marks = np.zeros((len(sets), labels), int)
    for row, own in enumerate(sets):
        marks[row, own] = 1
    return marks


def listed(marks):
    return [np.flatnonzero(row).tolist() for row in marks]


def rounded(values, digits=8):
    return [rounded(value, digits) for value in values] if np.ndim(values) else round(float(values), digits)


ROWS, TEST, DIMENSIONS, LABELS = 400, 40, 12, 6
train, sets = invent(1, ROWS, DIMENSIONS, LABELS)
test, test_sets = invent(2, TEST, DIMENSIONS, LABELS)
marks = indicators(sets, LABELS)

# Logistic regression, solved tightly in float64 ---------------------------------------------------------------------
logistic = []
for weight in (None, "balanced"):
    for C in (1.0, 20.0):
        solved = {}
        for label in range(1, LABELS - 1):
            model = LogisticRegression(C=C, class_weight=weight, tol=1e-11, max_iter=20000).fit(train.astype(float), marks[:, label])
            solved[label] = {
                "coefficients": rounded(model.coef_[0]),
                "intercept": rounded(model.intercept_[0]),
                "probabilities": rounded(model.predict_proba(test.astype(float))[:, 1]),
            }
        logistic.append({"classWeight": weight or "none", "C": C, "labels": solved})

softmax = []
for classes in ([1, 2, 3, 4], [1, 2]):
    # The class of a row: its smallest label after 0, brought into the list.
    single = np.array([classes[own[1] % len(classes)] for own in sets])
    for weight in (None, "balanced"):
        model = LogisticRegression(class_weight=weight, tol=1e-11, max_iter=20000).fit(train.astype(float), single)
        softmax.append(
            {
                "classes": classes,
                "classWeight": weight or "none",
                "coefficients": rounded(model.coef_),
                "intercepts": rounded(model.intercept_),
                "probabilities": rounded(model.predict_proba(test.astype(float))),
            }
        )

# Nearest neighbours ---------------------------------------------------------------------------------------------------
neighbours = []
for metric in ("euclidean", "cosine"):
    for k in (5, 4):
        found = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(train)
        distances, rows = found.kneighbors(test)
        several = KNeighborsClassifier(n_neighbors=k, metric=metric).fit(train, marks)
        single = np.array([own[1] for own in sets])
        one = KNeighborsClassifier(n_neighbors=k, metric=metric).fit(train, single)
        neighbours.append(
            {
                "distance": metric,
                "k": k,
                "rows": rows.tolist(),
                "distances": rounded(distances, 6),
                "predicted": listed(several.predict(test)),
                "one": one.predict(test).tolist(),
            }
        )

# MTEB's protocol -------------------------------------------------------------------------------------------------------
task = SimpleNamespace(np_rng=np.random.RandomState(42))
experiments = []
for samples in (8, 3):
    rows, order = AbsTaskMultilabelClassification._undersample_data_indices(task, sets, samples, None)
    predicted, model = _evaluate_classifier(train[rows], marks[rows], test, AbsTaskMultilabelClassification.evaluator_model)
    scores = AbsTaskMultilabelClassification._calculate_scores(task, indicators(test_sets, LABELS), predicted, test, model)
    experiments.append(
        {
            "samplesPerLabel": samples,
            "order": [int(row) for row in order],
            "rows": [int(row) for row in rows],
            "predicted": listed(predicted),
            "accuracy": float(scores["accuracy"]),
            "lrap": float(scores["lrap"]),
            "f1": float(scores["f1"]),
        }
    )

# TF-IDF -----------------------------------------------------------------------------------------------------------------
draw = generator(3)
texts = [" ".join(f"w{int(next(draw) ** 2 * 40)}" for _ in range(5 + int(next(draw) * 30))) for _ in range(60)]
tfidf = []
for sublinear in (True, False):
    vectorizer = TfidfVectorizer(sublinear_tf=sublinear, min_df=2, token_pattern=r"\S+").fit(texts[:40])
    rows = vectorizer.transform(texts[40:])
    names = vectorizer.get_feature_names_out()
    tfidf.append(
        {
            "sublinear": sublinear,
            "terms": len(names),
            "rows": [{names[j]: round(float(v), 6) for j, v in zip(rows[i].indices, rows[i].data)} for i in range(rows.shape[0])],
        }
    )

# Stratification: how uneven iterative-stratification leaves random cases ---------------------------------------------------


def unevenness(folds, marks, shares):
    """Mean over labels and folds of |documents of the label there - share| over the label's documents; and of sizes."""
    by_label = [abs(marks[folds == f].sum(0) - share * marks.sum(0)) / np.maximum(1, marks.sum(0)) for f, share in enumerate(shares)]
    sizes = [abs((folds == f).sum() / len(folds) - share) for f, share in enumerate(shares)]
    return [float(np.mean(by_label)), float(np.mean(sizes))]


stratified = []
for seed, (rows, labels, shares) in enumerate(
    [(200, 8, [0.8, 0.2]), (200, 8, [0.2] * 5), (500, 30, [0.2] * 5), (500, 30, [0.7, 0.2, 0.1]), (100, 40, [0.5, 0.5])]
):
    _, own = invent(10 + seed, rows, 1, labels)
    case = indicators(own, labels)
    theirs = [
        unevenness(IterativeStratification(case.astype(bool), np.array(shares), np.random.RandomState(s)), case, shares)
        for s in range(10)
    ]
    stratified.append({"seed": 10 + seed, "rows": rows, "labels": labels, "shares": shares, "theirs": rounded(np.mean(theirs, 0), 6)})

out = Path(__file__).resolve().parents[1] / "fixtures" / "classify"
out.mkdir(parents=True, exist_ok=True)
made = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "mteb", "iterative-stratification"))
fixture = {
    "made": f"{made}; test/oracle/probes.py",
    "sizes": {"rows": ROWS, "test": TEST, "dimensions": DIMENSIONS, "labels": LABELS},
    "check": [rounded(train.astype(float).sum(), 3), int(marks.sum())],
    "logistic": logistic,
    "softmax": softmax,
    "neighbours": neighbours,
    "mteb": experiments,
    "texts": texts,
    "tfidf": tfidf,
    "stratified": stratified,
}
lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fixture.items())
(out / "probes.json").write_text("{\n" + lines + "\n}\n")
