"""Benchmarks of training steps; see README.md. Run: ``python -m tests.benchmarks``."""
