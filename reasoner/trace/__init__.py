"""Traces of a run: its events as a tree, and as a file."""
