"""Fixture for test/metrics/{multilabel,label-ranking,calibration}.test.ts: random and degenerate label sets, predictions and
scores with what scikit-learn says of them (zero_division = 0). Scores are multiples of 1/16 in half of the cases, so that many are
equal. Macro average precision is the mean over labels with a positive of scikit-learn's value for each such label. ECE is put
together from the bins of scikit-learn's calibration_curve, weighted by the decisions in each.
"""
import json
import pathlib
import warnings

import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve

warnings.filterwarnings("ignore")
out = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "metrics" / "multilabel.json"
rng = np.random.default_rng(41)
BINS = 15


def rows(matrix):
    return [np.flatnonzero(row).tolist() for row in matrix]


def average(truth, predicted, average):
    p, r, f, _ = metrics.precision_recall_fscore_support(truth, predicted, average=average, zero_division=0)
    return p, r, f


def error(truth, probabilities):
    """ECE and Brier score of flat decisions."""
    right, sure = calibration_curve(truth, probabilities, n_bins=BINS, strategy="uniform")
    edges = np.linspace(0, 1, BINS + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], probabilities), minlength=BINS)
    weights = counts[counts > 0] / len(truth)
    ece = float((weights * np.abs(right - sure)).sum())
    return {"ece": ece, "brier": float(np.mean((probabilities - truth) ** 2)), "counts": counts.tolist(),
            "confidence": sure.tolist(), "accuracy": right.tolist()}


def case(name, truth, predicted, scores):
    truth, predicted = truth.astype(int), predicted.astype(int)
    documents, labels = truth.shape
    scores = scores.astype(np.float32)
    wide = scores.astype(np.float64)
    # One column alone is read as binary labels: a second, empty one keeps it an indicator matrix, and its zeros are taken out below.
    one = labels == 1
    pad = np.zeros((documents, 1), int)
    t, p = (np.hstack([truth, pad]), np.hstack([predicted, pad])) if one else (truth, predicted)
    micro, macro, weighted, samples = (average(t, p, how) for how in ("micro", "macro", "weighted", "samples"))
    each = metrics.precision_recall_fscore_support(t, p, average=None, zero_division=0)
    scale = 2 if one else 1
    ap = [metrics.average_precision_score(truth[:, l], wide[:, l]) if truth[:, l].any() else 0.0 for l in range(labels)]
    some = truth.any(axis=0)
    order = np.argsort(-wide, axis=1, kind="stable")
    at = {}
    for k in (1, 3, 5):
        hits = np.take_along_axis(truth, order[:, :k], axis=1).sum(axis=1)
        sizes = truth.sum(axis=1)
        recall = np.divide(hits, sizes, out=np.zeros(documents), where=sizes > 0)
        at[k] = [float((hits / k).mean()), float(recall.mean())]
    top = order[:, 0]
    return {
        "name": name, "labels": labels, "truth": rows(truth), "predicted": rows(predicted),
        "scores": [float(str(s)) for s in scores.ravel()],
        "metrics": {
            "f1Micro": micro[2], "f1Macro": macro[2] * scale, "f1Weighted": weighted[2], "f1Samples": samples[2],
            "precisionMicro": micro[0], "precisionMacro": macro[0] * scale, "recallMicro": micro[1], "recallMacro": macro[1] * scale,
            "hamming": metrics.hamming_loss(truth, predicted), "subsetAccuracy": metrics.accuracy_score(truth, predicted),
        },
        "perLabel": [x[:labels].tolist() for x in each],
        "lrap": metrics.label_ranking_average_precision_score(truth, wide) if not one else 1.0,
        "averagePrecision": [float(x) for x in ap], "map": float(np.mean(np.array(ap)[some])) if some.any() else 0.0,
        "mapMicro": float(metrics.average_precision_score(truth.ravel(), wide.ravel())) if some.any() else 0.0,
        "at": at,
        "calibration": error(truth.ravel(), wide.ravel()),
        "calibrationPerLabel": [[x["ece"], x["brier"]] for x in (error(truth[:, l], wide[:, l]) for l in range(labels))],
        "calibrationTop": error(truth[np.arange(documents), top], wide[np.arange(documents), top])["ece"],
    }


def draw(documents, labels, share, coarse):
    frequency = share * rng.dirichlet(np.full(labels, 0.5)) * labels
    truth = rng.random((documents, labels)) < np.minimum(frequency, 0.9)
    scores = 1 / (1 + np.exp(-(2.5 * truth - 1.5 + rng.normal(0, 1.2, (documents, labels)))))
    if coarse:
        scores = np.round(scores * 16) / 16
    return truth, scores > 0.5, scores


cases = []
for i in range(24):
    documents, labels = int(rng.integers(2, 25)), int(rng.integers(2, 9))
    cases.append(case(f"random {i}", *draw(documents, labels, rng.uniform(0.1, 0.5), i % 2 == 0)))
truth, predicted, scores = draw(12, 5, 0.4, True)
none, every = np.zeros_like(truth), np.ones_like(truth)
cases += [
    case("one label", truth[:, :1], predicted[:, :1], scores[:, :1]),
    case("one document", truth[:1], predicted[:1], scores[:1]),
    case("no positive", none, predicted, scores),
    case("no prediction", truth, none, scores),
    case("neither positive nor prediction", none, none, scores),
    case("all positive", every, predicted, scores),
    case("all positive and predicted", every, every, scores),
    case("all predicted", truth, every, scores),
    case("perfect", truth, truth, truth * 0.5 + 0.25),
    case("all wrong", truth, ~truth, 1 - truth * 1.0),
    case("all scores equal", truth, predicted, np.full(truth.shape, 0.5)),
    case("sure of everything", truth, predicted, (scores > 0.5) * 1.0),
]
single = np.eye(6)[rng.integers(0, 4, 20)]
guess = np.exp(rng.normal(0, 1, single.shape) + single)
guess /= guess.sum(axis=1, keepdims=True)
cases.append(case("one label a document, two never", single, np.eye(6)[guess.argmax(axis=1)], guess))
out.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
