"""From solution notebooks to exercises, and everything that keeps notebooks in shape."""
