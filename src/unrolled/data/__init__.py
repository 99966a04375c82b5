"""What the models learn from: generated corpora, public sets, and the way from text to tensors."""

__all__: list[str] = []
