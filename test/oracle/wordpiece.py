"""Vocabularies that Hugging Face's WordPieceTrainer makes of a small text, and how their tokenizers split it.

    python test/oracle/wordpiece.py                                     writes test/fixtures/wordpiece/
    python test/oracle/wordpiece.py TEXTS.json SIZE MIN LIMIT TOKENS.json OUT.json    the vocabulary of other texts

The trainer numbers the `##` characters in the order of a randomly seeded hash table. To fix that order (by code point),
the characters and the `##` characters are handed over as special tokens, in the order they must have; nothing else of
the trainer is changed. The second form takes these first tokens from TOKENS.json.
"""

import json
import random
import sys
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
OUT = Path(__file__).resolve().parent.parent / "fixtures" / "wordpiece"


def bert():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def first_tokens(texts, limit):
    """Special tokens, characters, `##` characters, by code point."""
    tokenizer = bert()
    characters, later = Counter(), set()
    for text in texts:
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text)):
            characters.update(word)
            later.update(word[1:])
    kept = sorted(sorted(characters, key=lambda c: (-characters[c], ord(c)))[:limit], key=ord)
    return SPECIAL + kept + ["##" + c for c in sorted(later & set(kept), key=ord)]


def train(texts, size, minimum, limit, first=None):
    tokenizer = bert()
    first = first_tokens(texts, limit) if first is None else first
    tokenizer.train_from_iterator(
        texts,
        trainers.WordPieceTrainer(vocab_size=size, min_frequency=minimum, limit_alphabet=limit,
                                  special_tokens=first, show_progress=False),
    )
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.get)


def invented():
    """Words of invented syllables, rarer ones rarer, and lines that only the normaliser's rules split rightly."""
    chance = random.Random(5)
    syllables = [a + b for a in ["b", "tr", "s", "k", "pl", "m", "n", "qu", "v", "aa"] for b in ["a", "e", "on", "ir", "ul", "aa"]]
    words = ["".join(chance.choices(syllables, k=chance.choice([1, 1, 2, 2, 3, 4]))) for _ in range(700)]
    words += ["aaaa", "aaaaaaa", "abababab", "nanana"]
    texts = []
    for line in range(160):
        picked = [words[int(len(words) * chance.random() ** 3)] for _ in range(chance.randint(4, 24))]
        picked = [word.capitalize() if chance.random() < 0.1 else word for word in picked]
        texts.append(" ".join(picked) + chance.choice([".", ";", " (FIG. %d)." % line, ", e.g. %d.%d µm" % (line, line % 7), ""]))
    texts += [
        "Théâtre naïve coöperate Ångström résumé résumé ÉCOLE école",
        "ΟΔΟΣ ΣΟΦΟΣ οδός σοφός ΣΑΣ",
        "超音波探触子 and 超音波 probe 音波 \U00020000\U0002a6d6 x",
        "ぁたま アンテナ ゴム が ガ",
        "tabs\tand\nlines\r\nno\u00a0break\u200bzero\u200dwidth soft\u00adhyphen null\u0000here \ufffd bad\u0007bell",
        "it's a 'quoted' “text” – with—dashes… £5 $6 10^3 a_b a`b a~b © ® ™ ½ ² ₂ ﬁn",
        "İstanbul IŞIK ǅ ß ẞ straße",
        "emoji 😀 👩‍🔬 flags",
        "",
        "   ",
        "देवनागरी กรุงเทพ 한국어 초음파 עִבְרִית العَرَبِيَّة",
        "x" * 130 + " " + "ab" * 60,
    ]
    return texts


if __name__ == "__main__":
    if len(sys.argv) > 1:
        texts, size, minimum, limit, first, out = sys.argv[1:]
        result = train(json.loads(Path(texts).read_text()), int(size), int(minimum), int(limit), json.loads(Path(first).read_text()))
        Path(out).write_text(json.dumps(result))
        sys.exit()
    OUT.mkdir(parents=True, exist_ok=True)
    texts = invented()
    cases = []
    for size, minimum, limit in [(600, 2, 1000), (2000, 2, 1000), (2000, 5, 1000), (400, 1, 30), (3000, 1, 1000), (60, 2, 1000)]:
        cases.append({"size": size, "minFrequency": minimum, "limitAlphabet": limit, "tokens": train(texts, size, minimum, limit)})
    (OUT / "texts.json").write_text(json.dumps(texts, ensure_ascii=False, indent=0) + "\n")
    (OUT / "vocabularies.json").write_text(json.dumps(cases, ensure_ascii=False, indent=None).replace('}, {', '},\n{') + "\n")
    print([(case["size"], len(case["tokens"])) for case in cases])
