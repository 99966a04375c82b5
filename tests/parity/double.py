"""Hugging Face's models in double precision throughout: they cast to float32 in norms, angles and softmax."""

import torch
from torch.overrides import TorchFunctionMode

__all__ = ["Double"]


def _wide(given):
    return torch.float64 if given is torch.float32 else given


class Double(TorchFunctionMode):
    """Every float32 that is asked for meanwhile is a float64."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.Tensor.float:
            func = torch.Tensor.double
        return func(*map(_wide, args), **{name: _wide(given) for name, given in (kwargs or {}).items()})
