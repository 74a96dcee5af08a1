"""Checks: finding the final answer, asking the plugins, and what their verdicts amount to."""
