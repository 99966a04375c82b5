"""Writing token after token with a key/value cache, beside Hugging Face's `generate`, on the same weights."""

from collections.abc import Iterator

import torch
from torch import nn

from benchmarks.gpt import LAPTOP, Sizes, theirs
from benchmarks.timing import Row, Timer
from unrolled.generate import generate
from unrolled.pretrained import load_gpt2

__all__ = ["measure"]


def measure(timer: Timer, s: Sizes = LAPTOP, n_new: int = 256) -> Iterator[Row]:
    """Greedy, batch 1.

    Raises:
        RuntimeError: the two do not write the same tokens.
    """
    torch.manual_seed(0)
    prompt = torch.randint(s.vocab_size, (1, 8))
    reference = theirs(
        Sizes(s.n_layers, s.n_heads, s.d_model, prompt.shape[1] + n_new, 1, s.vocab_size)
    ).eval()
    for weight in reference.parameters():
        nn.init.normal_(weight, std=0.1)  # from its own start it would write one token for ever
    model = load_gpt2(reference)

    def hugging_face() -> torch.Tensor:
        out: torch.Tensor = reference.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=n_new,
            do_sample=False,
            use_cache=True,
            pad_token_id=0,
        )
        return out

    mine, other = generate(model, prompt, n_new), hugging_face()
    if not torch.equal(mine, other):
        raise RuntimeError(f"expected the same tokens, got {mine.tolist()} and {other.tolist()}")
    called = load_gpt2(reference)
    called.register_forward_hook(lambda *_: None)  # so every step has to call `forward`
    race = timer.race(
        lambda: generate(model, prompt, n_new),
        transformers_generate=hugging_face,
        by_forward=lambda: generate(called, prompt, n_new),
    )
    name = f"generate {n_new} tokens, {s.n_layers} layers of {s.d_model}, batch 1, cache"
    yield race.row(name, "transformers_generate", at_least=2.5, work=n_new)
    yield race.row(name, "by_forward", work=n_new)
