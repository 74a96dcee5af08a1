"""Training data: puzzles with checkable states, and rollouts of a policy on known problems."""
