"""Search over trajectories: the context that strategies work with, operators and strategies."""
