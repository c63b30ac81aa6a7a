"""TF-IDF and truncated SVD by scikit-learn -> test/fixtures/lsa/sklearn.json: singular values and cosines of pairs.

Documents are invented token ids with a topical structure, made by a generator that the test repeats, so that the fixture
holds only what scikit-learn says of them. TruncatedSVD runs ARPACK, which is exact; as many dimensions as topics, so that
the last singular value stands well above the next and the subspace is well defined.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

DOCUMENTS, QUERIES, DIMENSIONS, TOPICS = 400, 20, 25, 25


def generator(seed):
    """The linear congruential generator of Numerical Recipes, 32 bits: the same in every language."""
    state = seed
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield state / 2**32


def documents(seed, count):
    draw = generator(seed)
    made = []
    for _ in range(count):
        topic, second = int(next(draw) * TOPICS), int(next(draw) * TOPICS)
        tokens = []
        for _ in range(20 + int(next(draw) * 100)):
            kind = next(draw)
            if kind < 0.4:
                tokens.append(int(next(draw) ** 3 * 500))
            else:
                tokens.append(500 + 40 * (topic if kind < 0.8 else second) + int(next(draw) ** 2 * 40))
        made.append(tokens)
    return made


corpus, queries = documents(1, DOCUMENTS), documents(2, QUERIES)
cases = []
for sublinear in (True, False):
    vectorizer = TfidfVectorizer(analyzer=lambda tokens: map(str, tokens), sublinear_tf=sublinear, min_df=2, dtype=np.float64)
    matrix = vectorizer.fit_transform(corpus)
    svd = TruncatedSVD(DIMENSIONS, algorithm="arpack", random_state=0)
    vectors = normalize(svd.fit_transform(matrix))
    query_vectors = normalize(svd.transform(vectorizer.transform(queries)))
    cosines = query_vectors @ vectors[:50].T
    cases.append(
        {
            "sublinear": sublinear,
            "terms": matrix.shape[1],
            "singularValues": [round(float(value), 8) for value in svd.singular_values_],
            "cosines": [[round(float(value), 7) for value in row] for row in cosines],
        }
    )

out = Path(__file__).resolve().parents[1] / "fixtures" / "lsa"
out.mkdir(parents=True, exist_ok=True)
fixture = {
    "made": f"scikit-learn {version('scikit-learn')}, test/oracle/lsa.py",
    "documents": DOCUMENTS,
    "queries": QUERIES,
    "dimensions": DIMENSIONS,
    "tokens": [sum(map(len, corpus)), sum(map(sum, corpus))],
    "cases": cases,
}
(out / "sklearn.json").write_text(json.dumps(fixture).replace("[[", "\n[[").replace("], [", "],\n[") + "\n")
