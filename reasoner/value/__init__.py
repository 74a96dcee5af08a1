"""Scores for steps and trajectories: process reward models, value heads, judges."""
