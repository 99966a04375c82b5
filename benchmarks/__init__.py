"""Ours beside theirs, in one run: `python -m benchmarks` prints the table and writes it to results/."""
