"""Small random cross-encoders of every architecture, and what sentence-transformers' CrossEncoder makes of pairs of texts.

    python test/oracle/cross_encoder.py     writes test/fixtures/cross-encoders/

<name>/ is a checkpoint without its tokenizer.json, which is the one of test/fixtures/tokenizers that pairs.json names.
pairs.json holds texts (none, short, longer than fits on one side and on both) and for every model the token ids, the
segments, the raw scores and those after the default activation.
"""

import json
import random
import shutil
import tempfile
from pathlib import Path

import torch
from models import randomise
from sentence_transformers import CrossEncoder
from tiny_tokenizers import ENDS, KINDS, PARTS, VERBS
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    MPNetConfig,
    MPNetForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
OUT = FIXTURES / "cross-encoders"
LENGTH = 40
SMALL = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12, "num_labels": 1}
PLAIN = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
# With the plain class, which takes tokenizer.json as it is; some classes of transformers put their own normaliser in its place.
NO_SEGMENTS = ["input_ids", "attention_mask"]

MODELS = {
    "bert": ("wordpiece", None, lambda: BertForSequenceClassification(
        BertConfig(vocab_size=400, max_position_embeddings=48, pad_token_id=0, **SMALL, **PLAIN))),
    "roberta": ("bytes", None, lambda: RobertaForSequenceClassification(
        RobertaConfig(vocab_size=600, max_position_embeddings=50, type_vocab_size=1, pad_token_id=1, **SMALL, **PLAIN))),
    "xlm-roberta": ("unigram", NO_SEGMENTS, lambda: XLMRobertaForSequenceClassification(
        XLMRobertaConfig(vocab_size=300, max_position_embeddings=50, type_vocab_size=1, pad_token_id=1, **SMALL, **PLAIN))),
    "mpnet": ("wordpiece", NO_SEGMENTS, lambda: MPNetForSequenceClassification(
        MPNetConfig(vocab_size=400, max_position_embeddings=50, **SMALL, **PLAIN))),
    "modernbert": ("wordpiece", NO_SEGMENTS, lambda: ModernBertForSequenceClassification(
        ModernBertConfig(vocab_size=400, max_position_embeddings=64, local_attention=12, pad_token_id=0, cls_token_id=2,
                         sep_token_id=3, bos_token_id=2, eos_token_id=3, classifier_pooling="mean", classifier_bias=True,
                         attn_implementation="eager", **SMALL))),
}


def texts():
    """Pairs of unequal and equal lengths on both sides of what fits."""
    draw = random.Random(7)

    def text(words):
        parts = []
        while len(parts) < words:
            parts += [draw.choice(KINDS), draw.choice(PARTS), draw.choice(VERBS), *draw.choice(ENDS).split()]
        return " ".join(parts[:words])

    sizes = [(0, 3), (3, 0), (1, 1), (4, 60), (60, 4), (30, 30), (31, 30), (30, 31), (60, 90), (90, 60), (12, 11)]
    sizes += [(draw.randint(1, 40), draw.randint(1, 40)) for _ in range(29)]
    same = text(50)
    return [(text(a), text(b)) for a, b in sizes] + [(same, same)]


def folder_of(name, tokenizer, inputs, make, scratch, seed):
    target = OUT / name
    shutil.rmtree(target, ignore_errors=True)
    randomise(make(), seed).save_pretrained(target)
    source = FIXTURES / "tokenizers" / tokenizer
    settings = json.loads((source / "tokenizer_config.json").read_text()) | {"model_max_length": LENGTH}
    if inputs is not None:
        settings |= {"model_input_names": inputs, "tokenizer_class": "PreTrainedTokenizerFast"}
    (target / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")
    whole = scratch / name
    shutil.copytree(target, whole)
    shutil.copy(source / "tokenizer.json", whole)
    return whole


def main():
    pairs = texts()
    result = {"length": LENGTH, "pairs": pairs, "models": {}}
    with tempfile.TemporaryDirectory() as scratch:
        for seed, (name, (tokenizer, inputs, make)) in enumerate(MODELS.items(), start=1):
            model = CrossEncoder(str(folder_of(name, tokenizer, inputs, make, Path(scratch), seed)), device="cpu")
            assert model.max_seq_length == LENGTH, model.max_seq_length
            features = [model.preprocess([pair]) for pair in pairs]
            with torch.no_grad():
                alone = torch.cat([model(dict(one))["scores"].flatten() for one in features])
            raw = model.predict(pairs, activation_fn=torch.nn.Identity())
            worst = abs(alone.numpy() - raw).max()
            assert worst < 5e-6, (name, worst)
            result["models"][name] = {
                "tokenizer": tokenizer,
                "ids": [one["input_ids"][0].tolist() for one in features],
                "segments": [one["token_type_ids"][0].tolist() for one in features] if "token_type_ids" in features[0] else None,
                "scores": [float(score) for score in raw],
                "predicted": [float(score) for score in model.predict(pairs)],
            }
            print(name, "scores from", raw.min(), "to", raw.max())
    (OUT / "pairs.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
