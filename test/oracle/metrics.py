"""Fixtures for test/metrics: pytrec_eval (trec_eval 9) and ranx on random rankings, scipy on samples.

Random rankings have graded judgements (some negative: pooled but unjudged), unjudged documents and many tied scores. The
interpolated measures are left out: trec_eval 10, whose golden files the tests read, rounds recall points differently.
"""
import json
import pathlib
import random

import numpy as np
import pytrec_eval
import scipy.stats
from ranx import Qrels, Run, evaluate

out = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "metrics"
out.mkdir(parents=True, exist_ok=True)

MEASURES = {
    "num_ret", "num_rel", "num_rel_ret", "map", "Rprec", "bpref", "recip_rank", "P.1,5,10", "recall.1,5,10", "infAP",
    "Rprec_mult", "utility", "binG", "G", "ndcg", "ndcg_rel", "Rndcg", "ndcg_cut.1,5,10", "map_cut.5,10",
    "relative_P.5,10", "success.1,5", "set_P", "set_recall", "set_relative_P", "set_map", "set_F",
    "num_nonrel_judged_ret",
}


def case(seed, level, negatives, top, ties):
    rng = random.Random(seed)
    documents = [f"{rng.choice(['US', 'EP', 'éa', '日本'])}{n:04d}" for n in range(60)]
    qrels, run = {}, {}
    for q in range(6):
        judged = rng.sample(documents, rng.randint(3, 40))
        grades = ([-1] if negatives else []) + list(range(top + 1))
        qrels[f"q{q}"] = {d: rng.choice(grades) for d in judged}
        qrels[f"q{q}"][judged[0]] = top  # each query keeps one relevant document
        retrieved = rng.sample(documents, rng.randint(1, 50))
        run[f"q{q}"] = {d: float(rng.randint(0, 8)) if ties else rng.uniform(-1, 1) for d in retrieved}
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, MEASURES, relevance_level=level)
    return {"level": level, "qrels": qrels, "run": run, "values": evaluator.evaluate(run)}


cases = [
    case(1, 1, False, 1, True), case(2, 1, False, 3, True), case(3, 1, True, 3, True), case(4, 2, True, 4, True),
    case(5, 3, False, 4, False),
]
(out / "pytrec_eval.json").write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")) + "\n")

plain = case(6, 1, False, 3, False)
names = ["ndcg@5", "ndcg@10", "map@10", "map", "mrr", "mrr@5", "precision@5", "recall@10", "r-precision", "hit_rate@5"]
means = evaluate(Qrels(plain["qrels"]), Run(plain["run"]), names)
(out / "ranx.json").write_text(
    json.dumps({"qrels": plain["qrels"], "run": plain["run"], "means": {k: float(v) for k, v in means.items()}},
               ensure_ascii=False, separators=(",", ":")) + "\n")

rng = np.random.default_rng(7)
samples = []
for n, kind in [(12, "normal"), (40, "skewed"), (200, "skewed"), (1000, "zeros")]:
    if kind == "normal":
        x, y = rng.normal(0.5, 0.2, n), rng.normal(0.45, 0.2, n)
    elif kind == "skewed":
        x, y = rng.beta(0.5, 2, n), rng.beta(0.5, 2.4, n)
    else:
        x, y = rng.beta(1, 3, n) * (rng.random(n) < 0.4), rng.beta(1, 3, n) * (rng.random(n) < 0.37)
    x, y = np.round(x, 6), np.round(y, 6)
    d = x - y
    bca = scipy.stats.bootstrap((x,), np.mean, n_resamples=200_000, batch=2000, method="BCa", random_state=1)
    pair = scipy.stats.bootstrap((d,), np.mean, n_resamples=200_000, batch=2000, method="BCa", random_state=2)
    flips = scipy.stats.permutation_test((x, y), lambda a, b, axis: np.mean(a - b, axis=axis), vectorized=True,
                                         permutation_type="samples", n_resamples=np.inf if n <= 12 else 200_000,
                                         batch=2000, random_state=3)
    samples.append({
        "kind": kind, "x": x.tolist(), "y": y.tolist(),
        "mean": [bca.confidence_interval.low, bca.confidence_interval.high],
        "difference": [pair.confidence_interval.low, pair.confidence_interval.high],
        "p": float(flips.pvalue),
    })
probabilities = [1e-12, 1e-5, 0.001, 0.025, 0.2, 0.5, 0.7, 0.975, 0.9999]
statistics = {
    "samples": samples,
    "normalQuantile": [[p, float(scipy.stats.norm.ppf(p))] for p in probabilities],
    "normalCdf": [[z, float(scipy.stats.norm.cdf(z))] for z in [-38.0, -9.0, -7.5, -3.0, -0.1, 0.0, 0.4, 1.96, 6.0]],
    "studentQuantile": [[p, df, float(scipy.stats.t.ppf(p, df))] for p in [0.025, 0.6, 0.95, 0.975, 0.999]
                        for df in [1, 2, 5, 30, 1246, 46068]],
    "studentCdf": [[t, df, float(scipy.stats.t.cdf(t, df))] for t in [-2.5, 0.3, 4.0] for df in [1, 7, 500]],
}
(out / "statistics.json").write_text(json.dumps(statistics, separators=(",", ":")) + "\n")
