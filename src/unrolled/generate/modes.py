"""Write without dropout and without gradients, and leave the model as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["writing"]


@contextmanager
def writing(model: object) -> Iterator[None]:
    """Put `model` into evaluation mode, without gradients, for the length of a block.

    Afterwards every module is in the mode it had before, also where those differed, and after an exception.
    A model that is not a module has no mode and is left alone.

    Example:
        >>> from unrolled.generate.modes import writing
        >>> from unrolled.nn import Seq2Seq, Seq2SeqConfig
        >>> model = Seq2Seq(Seq2SeqConfig(source_vocab_size=11, target_vocab_size=13))
        >>> with writing(model):
        ...     print(model.training)
        False
        >>> model.training
        True
    """
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [module.training for module in modules]
    for module in modules:
        module.training = False
    try:
        # A tenth faster than no_grad. What is made inside is of no use to autograd ever after, so what people
        # may want to learn from is made outside and filled inside, or copied outside.
        with torch.inference_mode():
            yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
