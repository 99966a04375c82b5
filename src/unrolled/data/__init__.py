"""What the models learn from: generated corpora, the same on every machine, and vectors counted from them."""
