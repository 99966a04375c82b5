"""Remember the first word: the sentences, the forget gate's first bias, short distances learned."""

import pytest
import torch

from unrolled.training.first_word import FIRST, REST, FirstWord, accuracy, sentences, train_first_word

D, H = 3, 5


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_first_word_is_the_answer_and_stands_nowhere_else() -> None:
    words, answer = sentences(997, 7, generator())
    assert words.shape == (997, 8)
    assert torch.equal(words[:, 0], answer)
    assert set(answer.tolist()) == set(range(len(FIRST)))
    assert set(words[:, 1:].flatten().tolist()) == set(range(len(FIRST), len(FIRST) + len(REST)))
    assert torch.equal(words, sentences(997, 7, generator())[0])
    assert not torch.equal(words, sentences(997, 7, generator(1))[0])


def test_the_forget_gate_alone_starts_where_it_is_told() -> None:
    torch.manual_seed(0)
    plain = FirstWord("lstm", D, H)
    torch.manual_seed(0)
    biased = FirstWord("lstm", D, H, forget_bias=2.5)
    moved = [
        (name, old, new)
        for (name, old), new in zip(plain.named_parameters(), biased.parameters(), strict=True)
        if not torch.equal(old, new)
    ]
    assert [name for name, _, _ in moved] == ["net.cells.0.input_proj.bias", "net.cells.0.hidden_proj.bias"]
    together = torch.stack([new for _, _, new in moved]).sum(0).view(4, H)  # i, f, g, o
    before = torch.stack([old for _, old, _ in moved]).sum(0).view(4, H)
    assert together[1].tolist() == [2.5] * H
    assert torch.equal(together[[0, 2, 3]], before[[0, 2, 3]])


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_a_short_distance_is_learned_and_the_same_seed_gives_the_same_network(cell: str) -> None:
    torch.manual_seed(3)
    state = torch.get_rng_state()
    model = train_first_word(cell, 2, d_hidden=7, steps=80)
    assert torch.equal(state, torch.get_rng_state())
    assert accuracy(model, 2, n=211) == 1
    words, _ = sentences(11, 2, generator())
    assert torch.equal(model(words), train_first_word(cell, 2, d_hidden=7, steps=80)(words))
    assert not torch.equal(model(words), train_first_word(cell, 2, d_hidden=7, steps=80, seed=1)(words))


def test_shorter_too_draws_shorter_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def listen(self: FirstWord, words: torch.Tensor) -> torch.Tensor:
        seen.append(words.shape[1] - 1)
        return self.head(self.net(self.embedding(words))[0][:, -1])  # type: ignore[no-any-return]

    monkeypatch.setattr(FirstWord, "forward", listen)
    train_first_word("rnn", 3, steps=31, batch=2, shorter_too=True)
    assert set(seen) == {1, 2, 3}
    seen.clear()
    train_first_word("rnn", 3, steps=7, batch=2)
    assert set(seen) == {3}


def test_an_untrained_network_guesses() -> None:
    torch.manual_seed(0)
    assert accuracy(FirstWord("rnn"), 19) == pytest.approx(1 / len(FIRST), abs=0.1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FirstWord("gru"), "cell: expected 'rnn' or 'lstm', got 'gru'"),
        (lambda: FirstWord("rnn", forget_bias=1.0), "forget_bias: expected an LSTM with it, got an RNN"),
        (lambda: sentences(3, 0, generator()), "n, distance: expected 1 or more, got 3 and 0"),
    ],
)
def test_says_what_it_expected(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]
