"""What is raised when weights or a configuration are not ours to load."""

__all__ = ["WeightsError"]


class WeightsError(ValueError):
    """Weights that do not fit the model; the message lists what is missing, unexpected or mis-shaped.

    Example:
        >>> from unrolled.pretrained import gpt2_config
        >>> gpt2_config({"model_type": "bert"})
        Traceback (most recent call last):
        unrolled.pretrained.errors.WeightsError: config: expected model_type 'gpt2', got 'bert'
    """
