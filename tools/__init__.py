"""Generators and helpers of the build. Nothing in the package imports them."""
