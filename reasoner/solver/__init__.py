"""Solvers: what callers need of one, and the one whose model runs in this process."""
