"""Checks mathematics: equality with a known answer, else the arithmetic the steps state."""
