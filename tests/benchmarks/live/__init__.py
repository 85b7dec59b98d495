"""Latency of live figures, in a real browser.

Run: ``python -m tests.benchmarks.live``
"""
