"""The experiments of the course: which recipes, with which options and seeds, under which results.

`python -m tools.experiments NAME` trains what is missing and writes ``results/``. One module here is one
experiment; it has ``TRIALS``, and may have ``measure``, for figures that no training run gives.
"""
