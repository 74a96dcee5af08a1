"""Search operators: small functions that extend, score, prune and merge trajectories."""
