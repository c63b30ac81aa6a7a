"""Every 16th word of Snowball's English vocabulary with its stem -> test/fixtures/stem/english.tsv.

The vocabulary is `english/voc.txt` and `output.txt` of github.com/snowballstem/snowball-data (BSD-3-Clause), a checkout of
which SNOWBALL_DATA names; without it the fixture stays as it is.
"""

import os
from pathlib import Path

folder = os.environ.get("SNOWBALL_DATA")
if folder is None:
    print("SNOWBALL_DATA is not set: nothing done")
    raise SystemExit(0)
words, stems = ((Path(folder) / "english" / name).read_text(encoding="utf-8").split() for name in ("voc.txt", "output.txt"))
assert len(words) == len(stems)
out = Path(__file__).resolve().parents[1] / "fixtures" / "stem"
out.mkdir(parents=True, exist_ok=True)
pairs = [f"{word}\t{stem}\n" for word, stem in zip(words, stems)]
(out / "english.tsv").write_text("".join(pairs[::16]), encoding="utf-8")
print(len(words), "words;", len(pairs[::16]), "kept")
