"""Small encoder–decoders with random weights for the tests of the decoder stepper."""

import torch

from unrolled.nn.seq2seq import Seq2Seq, Seq2SeqConfig
from unrolled.widgets import DecoderStepper

SOURCE = ["<eos>", "let's", "go", "eat", "the", "pizza", "now"]
TARGET = ["<eos>", "vamos", "ve", "come", "la"]
SENTENCES = {"let's go": "vamos", "eat the pizza now": "come la", "go": "ve"}


def seq2seq(
    score: str | None, n_layers: int = 1, bidirectional: bool = False, seed: int = 0, size: float = 1.5
) -> Seq2Seq:
    """Return a model in float64 whose weights have the six digits that a page keeps."""
    torch.manual_seed(seed)
    config = Seq2SeqConfig(len(SOURCE), len(TARGET), 3, 6, n_layers, bidirectional=bidirectional, score=score)
    model = Seq2Seq(config).double().eval().requires_grad_(False)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((size * torch.randn(parameter.shape, dtype=torch.float64)).round(decimals=6))
    return model


def stepper(model: Seq2Seq, **options: object) -> DecoderStepper:
    """Return the widget of a model."""
    given = {"bos": "<eos>", "max_len": 5, **options}
    return DecoderStepper(model.state_dict(), SOURCE, TARGET, SENTENCES, **given)  # type: ignore[arg-type]


def ids(sentence: str) -> torch.Tensor:
    """Return a sentence ``[1, S]`` with its end."""
    return torch.tensor([[*(SOURCE.index(word) for word in sentence.split()), 0]])
