"""What is seen inside a BERT is what it computes."""

import torch

from tests.probe.models import bert
from unrolled.nn import padding_mask
from unrolled.probe import bert_layers


def test_the_layers_are_the_steps_of_the_forward_pass() -> None:
    model = bert()
    tokens = torch.randint(13, (5, 7), generator=torch.Generator().manual_seed(1))
    mask = padding_mask(torch.tensor([7, 3, 1, 5, 7]), 7)
    seen = bert_layers(model, tokens, mask)
    assert [tuple(v.shape) for v in seen.vectors] == [(5, 7, 15)] * 3
    assert [tuple(w.shape) for w in seen.weights] == [(5, 3, 7, 7)] * 2
    x = model.embedding_norm(model.positions(model.token_embedding(tokens)))
    torch.testing.assert_close(seen.vectors[0], x)
    for i, block in enumerate(model.encoder.layers, 1):
        x = block(x, mask)
        torch.testing.assert_close(seen.vectors[i], x)
    torch.testing.assert_close(x, model.encode(tokens, mask))
    torch.testing.assert_close(seen.weights[0].sum(-1), torch.ones(5, 3, 7).double())
    assert (seen.weights[1][2, :, :, 1:] == 0).all(), "nobody looks at padding"
    assert not any(v.requires_grad for v in (*seen.vectors, *seen.weights))
