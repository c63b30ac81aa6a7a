"""Scores of bm25s for five variants on 1,000 real patents -> test/fixtures/bm25/bm25s.json.

The fixture holds no text: rows and scores of the best documents, and a checksum of the token ids, so that the test knows
that it scores the same tokens. Tokens: runs of [a-z0-9] of the lower-cased title, abstract and text; ids in order of
first appearance. bm25s runs in float64: in float32 its own sums over 10,000 tokens are off by about 1e-6.
"""

import gzip
import hashlib
import json
import os
import re
from pathlib import Path

import bm25s
import numpy as np

root = Path(__file__).resolve().parents[2]
data = Path(os.environ.get("PATENTLAB_TEST_DATA", root.parent / "shared" / "data"))
DOCUMENTS, DEPTH = 1000, 50
QUERIES = [("text", row) for row in (0, 250, 999)] + [("abstract", row) for row in (7, 77, 777)]

records = []
with gzip.open(data / "ultrasound_us.jsonl.gz", "rt", encoding="utf-8") as lines:
    for line in lines:
        records.append(json.loads(line))
        if len(records) == DOCUMENTS:
            break

vocabulary: dict[str, int] = {}


def ids(*texts):
    words = re.findall(r"[a-z0-9]+", "\n".join(text or "" for text in texts).lower())
    return [vocabulary.setdefault(word, len(vocabulary)) for word in words]


corpus = [ids(record["title"], record["abstract"], record["text"]) for record in records]
queries = [corpus[row] if part == "text" else ids(records[row]["abstract"]) for part, row in QUERIES]
checksum = hashlib.sha256(np.concatenate([np.asarray(doc, dtype="<i4") for doc in corpus]).tobytes()).hexdigest()

cases = []
for method in ["lucene", "robertson", "atire", "bm25+", "bm25l"]:
    for k1, b, delta in [(1.5, 0.75, 0.5)] + ([(0.9, 0.4, 0.5)] if method == "lucene" else []):
        index = bm25s.BM25(method=method, k1=k1, b=b, delta=delta, dtype="float64", backend="numpy")
        index.index((corpus, vocabulary), show_progress=False, create_empty_token=False)
        results = []
        for query in queries:
            scores = index.get_scores_from_ids(query)
            order = np.lexsort((np.arange(DOCUMENTS), -scores))[:DEPTH]
            results.append({"rows": order.tolist(), "scores": [float(f"{scores[row]:.9g}") for row in order]})
        cases.append({"variant": method, "k1": k1, "b": b, "delta": delta, "results": results})

out = root / "test" / "fixtures" / "bm25"
out.mkdir(parents=True, exist_ok=True)
fixture = {
    "made": f"bm25s {bm25s.__version__}, test/oracle/bm25.py",
    "file": "ultrasound_us.jsonl.gz",
    "documents": DOCUMENTS,
    "tokens": sum(map(len, corpus)),
    "vocabulary": len(vocabulary),
    "sha256": checksum,
    "queries": [{"part": part, "row": row} for part, row in QUERIES],
    "cases": cases,
}
lines = json.dumps(fixture, separators=(",", ":")).replace('{"variant"', '\n{"variant"').replace('{"rows"', '\n{"rows"')
(out / "bm25s.json").write_text(lines + "\n")
print(f"{len(cases)} cases, {len(queries)} queries, vocabulary {len(vocabulary)}")
