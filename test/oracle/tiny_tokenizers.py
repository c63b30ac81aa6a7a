"""Trains the tiny tokenizers of test/fixtures/tokenizers on a few invented sentences (Hugging Face `tokenizers`).

wordpiece  BERT:            BertNormalizer, BertPreTokenizer, WordPiece, [CLS] A [SEP]
bytes      RoBERTa/GPT-2:   byte-level BPE, <s> A </s>
unigram    XLM-RoBERTa:     NFKC, runs of blanks folded, WhitespaceSplit + Metaspace, Unigram, <s> A </s>
marks      Llama/Gemma:     no pre-tokenizer, blanks become U+2581, BPE with byte fallback, <s> A

The trainers break ties by hash order, so a new run may number tokens anew; the tests hold for any of them.
"""

import json
import pathlib

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

OUT = pathlib.Path(__file__).parent.parent / "fixtures" / "tokenizers"

PARTS = "transducer probe catheter lens array sensor housing cable membrane electrode needle balloon stent pump valve".split()
VERBS = "comprises surrounds drives receives transmits measures focuses displaces couples controls generates detects".split()
KINDS = "ultrasonic acoustic optical flexible rotating piezoelectric elongated annular resonant hollow linear first second".split()
ENDS = ["at 5.0 MHz", "in the tissue", "of the patient's body", "(see FIG. 3A)", "by 10-20 µm", "at 37 °C, e.g. in vivo"]


def sentences():
    for i, part in enumerate(PARTS):
        for j, verb in enumerate(VERBS):
            kind, other = KINDS[(i + j) % len(KINDS)], PARTS[(i * 5 + j * 3 + 1) % len(PARTS)]
            yield f"{i + j}. The {kind} {part} {verb} a {KINDS[(i * j) % len(KINDS)]} {other} {ENDS[(i + j) % len(ENDS)]}."
            yield f"A method of claim {j + 1}, wherein said {part} {verb} the {other}; said {other} being {kind}."


def save(name, tokenizer, config):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=False) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config) + "\n", encoding="utf-8")


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(sentences(), trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    save("wordpiece", tokenizer, {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "pad_token": "[PAD]", "model_max_length": 512})


def bytes_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(sentences(), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), True, False)
    save("bytes", tokenizer, {"tokenizer_class": "RobertaTokenizer", "pad_token": "<pad>", "model_max_length": 512})


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        sentences(), trainers.UnigramTrainer(vocab_size=300, special_tokens=special, unk_token="<unk>", show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    save("unigram", tokenizer, {"tokenizer_class": "XLMRobertaTokenizer", "pad_token": "<pad>", "model_max_length": 512})


def marks():
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    # Trained with word splitting, as SentencePiece does; used without.
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.train_from_iterator(sentences(), trainers.BpeTrainer(vocab_size=600, special_tokens=special, show_progress=False))
    tokenizer.pre_tokenizer = None
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    plain = json.loads(tokenizer.to_str())
    plain["added_tokens"] = [token for token in plain["added_tokens"] if not token["content"].startswith("<0x")]
    folder = OUT / "marks"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(plain, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "LlamaTokenizer", "model_max_length": 512}) + "\n")


if __name__ == "__main__":
    wordpiece()
    bytes_level()
    unigram()
    marks()
