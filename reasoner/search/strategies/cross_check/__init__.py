"""Cross-checking a reasoning against programs that are written for the same question."""
