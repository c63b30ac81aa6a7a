"""sentence-transformers' contrastive losses, values and gradients in float64 -> test/fixtures/train/losses.json.

Vectors are not normalised: the losses' cosines do that, so gradients are those of the raw vectors.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import sentence_transformers
import torch
from sentence_transformers.sentence_transformer import losses

torch.manual_seed(5)
N, WIDTH = 6, 12
columns = [torch.randn(N, WIDTH, dtype=torch.float64) for _ in range(3)]
for column in columns[1:]:
    column += 0.8 * columns[0]
guides = [column + 0.3 * torch.randn(N, WIDTH, dtype=torch.float64) for column in columns]
guides[1][3] = guides[1][2] + 0.01  # a false negative, by the guide


class Table(torch.nn.Module):
    """A model whose sentence vectors are given."""

    def get_embedding_dimension(self):
        return WIDTH

    def forward(self, features):
        return {"sentence_embedding": features["vectors"] * 1.0}


def ranking(count, **options):
    loss = losses.MultipleNegativesRankingLoss(Table(), **options)
    return lambda given: loss.compute_loss_from_embeddings(given[:count], None)


def guided(count, strategy, margin, temperature=0.05):
    own = SimpleNamespace(
        gather_across_devices=False, mini_batch_size=N, show_progress_bar=False, margin_strategy=strategy, margin=margin,
        contrast_anchors=False, contrast_positives=False, temperature=temperature,
        cross_entropy_loss=torch.nn.CrossEntropyLoss(), similarity_fct=torch.nn.CosineSimilarity(dim=-1),
    )
    own.sim_matrix = lambda a, b: own.similarity_fct(a.unsqueeze(1), b.unsqueeze(0))
    return lambda given: losses.CachedGISTEmbedLoss.calculate_loss(own, [[one] for one in given[:count]], [[one] for one in guides[:count]])


def nested(count, dimensions, weights):
    loss = losses.MatryoshkaLoss(Table(), losses.MultipleNegativesRankingLoss(Table()), dimensions, weights)
    loss.loss.model = loss.model
    return lambda given: loss([{"vectors": one} for one in given[:count]], None)


both = {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}
CASES = {
    "plain": (2, ranking(2)),
    "scale 50": (2, ranking(2, scale=50.0)),
    "symmetric": (2, ranking(2, **both)),
    "hard negatives": (3, ranking(3)),
    "symmetric with hard negatives": (3, ranking(3, **both)),
    "guided, absolute 0": (2, guided(2, "absolute", 0.0)),
    "guided, relative 0.1, hard negatives": (3, guided(3, "relative", 0.1)),
    "matryoshka": (2, nested(2, [4, 12, 8], [0.5, 1.0, 2.0])),
}

results = []
for name, (count, loss) in CASES.items():
    given = [column.clone().requires_grad_() for column in columns]
    value = loss(given)
    value.backward()
    results.append({"case": name, "loss": value.item(), "gradients": [one.grad.flatten().tolist() for one in given[:count]]})

out = Path(__file__).resolve().parents[1] / "fixtures" / "train"
out.mkdir(parents=True, exist_ok=True)
unit = [torch.nn.functional.normalize(one, dim=1) for one in guides]
fixture = {
    "made": f"sentence-transformers {sentence_transformers.__version__}, test/oracle/losses.py",
    "rows": N,
    "width": WIDTH,
    "columns": [column.flatten().tolist() for column in columns],
    "guide": [(unit[0] @ torch.cat(unit[1:count]).T).flatten().tolist() for count in (2, 3)],
    "cases": results,
}
(out / "losses.json").write_text(json.dumps(fixture).replace('{"case"', '\n{"case"') + "\n")
