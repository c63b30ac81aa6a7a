"""scikit-learn's TfidfTransformer, TruncatedSVD (256, defaults otherwise) and Normalizer on token ids: seconds on stdout.

usage: lsa.py ids.bin; the file is int32 little-endian: count, lengths, ids of all documents one after another.
"""

import json
import sys
import time

import numpy as np
import sklearn
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

data = np.fromfile(sys.argv[1], dtype="<i4")
count = int(data[0])
starts = np.concatenate([[0], np.cumsum(data[1 : count + 1])])
ids = data[count + 1 :]
started = time.perf_counter()
counts = csr_matrix((np.ones(len(ids), dtype=np.float32), ids, starts), dtype=np.float32)
counts.sum_duplicates()
counts = counts[:, np.asarray((counts > 0).sum(axis=0)).ravel() >= 2]
matrix = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
svd = TruncatedSVD(256, random_state=0)
vectors = normalize(svd.fit_transform(matrix))
seconds = time.perf_counter() - started
energy = float((svd.singular_values_**2).sum())
print(json.dumps({"seconds": seconds, "energy": energy, "version": sklearn.__version__}))
