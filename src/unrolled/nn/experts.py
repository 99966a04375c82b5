r"""Many feed-forward networks, a few of which each token goes through. Taught in chapter 15."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from unrolled.nn.gated import GatedFeedForward
from unrolled.shapes import Sequence, check_shape, check_sizes
from unrolled.tap import Tap, edit

__all__ = ["MixtureOfExperts", "balance_losses", "load_balance"]


class MixtureOfExperts(nn.Module):
    r"""A router chooses `top_k` experts for each token, and mixes what they answer.

    .. math::  y = \frac{\sum_{e \in C} p_e\,\mathrm{FFN}_e(x)}{\sum_{e \in C} p_e}, \qquad
               p = \mathrm{softmax}(xW_r), \qquad C = \text{the top } k \text{ of } p

    No token is dropped: tokens are sorted by expert, and each expert takes all that chose it, however many.
    As `feedforward` of the `Parts` it makes a model of more weights that takes no more operations.

    Args:
        d_model: components per token.
        d_ff: width of each expert.
        n_experts: how many there are.
        top_k: how many of them each token goes through.
        expert: makes one, called as ``expert(d_model, d_ff)``.

    The taps `router` ``[..., T, E]`` (the probabilities) and `output` ``[..., T, D]`` hear what was chosen
    from and what came of it. The taps of an expert hear those tokens that chose it, in their order.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is not positive, or more experts are asked than there are.

    Reference:
        Shazeer et al., Outrageously Large Neural Networks, 2017; Jiang et al., Mixtral of Experts, 2024.
        Without dropping: Gale et al., MegaBlocks, 2022.

    Example:
        >>> import torch
        >>> from unrolled.nn import MixtureOfExperts
        >>> layer = MixtureOfExperts(d_model=8, d_ff=16, n_experts=4, top_k=2)
        >>> layer(torch.zeros(2, 5, 8)).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        *,
        n_experts: int,
        top_k: int,
        expert: Callable[[int, int], nn.Module] = GatedFeedForward,
    ) -> None:
        super().__init__()
        check_sizes(d_model=d_model, n_experts=n_experts, top_k=top_k)
        if top_k > n_experts:
            raise ValueError(f"top_k: expected at most n_experts={n_experts}, got {top_k}")
        self.d_model, self.top_k = d_model, top_k
        self.router_proj = nn.Linear(d_model, n_experts, bias=False)
        self.experts = nn.ModuleList(expert(d_model, d_ff) for _ in range(n_experts))
        self.router, self.output = Tap(), Tap()

    def forward(self, x: Sequence) -> Sequence:
        """Return a new vector ``[..., T, D]`` for every token of `x`.

        Raises:
            ShapeError: `x` has another size.
        """
        check_shape("x", x, "... T D", D=self.d_model)
        tokens = x.reshape(-1, self.d_model)  # [N, D]
        probabilities = self.router(self.router_proj(x).softmax(-1))  # [..., T, E]
        share, chosen = probabilities.flatten(0, -2).topk(self.top_k, -1)  # [N, k]
        share = share / share.sum(-1, keepdim=True)
        order = chosen.flatten().argsort(stable=True)  # choices by expert: [N k]
        sizes = chosen.flatten().bincount(minlength=len(self.experts)).tolist()
        groups = torch.split(tokens[order // self.top_k], sizes)
        # Also who was not chosen is asked, about nothing, so that every weight has a gradient.
        answers = torch.cat([ask(group) for ask, group in zip(self.experts, groups, strict=True)])
        back = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=x.device))
        answers = answers[back].view(len(tokens), self.top_k, self.d_model)
        mixed = (share.unsqueeze(1) @ answers).view(x.shape)  # [N, 1, k] @ [N, k, D]
        x = self.output(mixed)
        return x


def load_balance(probabilities: Tensor, top_k: int) -> Tensor:
    r"""Return how unevenly experts are used: 1 when all are used alike, E when all choose one.

    .. math::  E \sum_e f_e\, \bar p_e

    where :math:`f_e` is the share of choices that fall on expert e, :math:`\bar p_e` its mean probability.

    Args:
        probabilities: of every expert for every token, ``[..., E]``: what the tap `router` hears.
        top_k: how many experts each token goes through.

    Raises:
        ValueError: more experts are asked than there are.

    Reference:
        Fedus et al., Switch Transformers, 2021, section 2.2.

    Example:
        >>> import torch
        >>> from unrolled.nn import load_balance
        >>> load_balance(torch.full((6, 4), 0.25), top_k=4)  # all experts alike
        tensor(1.)
    """
    n_experts = probabilities.shape[-1]
    check_sizes(top_k=top_k)
    if top_k > n_experts:
        raise ValueError(f"top_k: expected at most n_experts={n_experts}, got {top_k}")
    probabilities = probabilities.reshape(-1, n_experts)
    chosen = probabilities.topk(top_k, -1).indices.flatten()
    share = chosen.bincount(minlength=n_experts) / len(chosen)
    return n_experts * (share * probabilities.mean(0)).sum()


@contextmanager
def balance_losses(model: nn.Module) -> Iterator[list[Tensor]]:
    """Collect `load_balance` of every mixture of `model` as it runs, with its graph, to be added to a loss.

    >>> with balance_losses(model) as losses:              # doctest: +SKIP
    ...     loss = cross_entropy(model(x), y)
    >>> (loss + 0.01 * sum(losses)).backward()             # doctest: +SKIP

    Yields:
        A list, which grows by one number for every mixture that runs.

    Raises:
        LookupError: the model has no mixture.
    """
    mixtures = {name: part for name, part in model.named_modules() if isinstance(part, MixtureOfExperts)}
    if not mixtures:
        raise LookupError(f"balance_losses: no mixture of experts in this {type(model).__name__}")
    losses: list[Tensor] = []

    def heard(probabilities: Tensor, top_k: int) -> Tensor:
        losses.append(load_balance(probabilities, top_k))
        return probabilities

    taps = {f"{name}.router".lstrip("."): partial(heard, top_k=part.top_k) for name, part in mixtures.items()}
    with edit(model, taps):
        yield losses
