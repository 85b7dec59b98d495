"""Grading whole classes: collect, run, keep in a gradebook, report, export.

Everything here is trusted and stands outside the sandbox. It reads submissions as bytes and
JSON, hands each to a worker of its own, and is alone in writing results.
"""
