"""Scores for steps and paths: process reward models, heads on hidden states, judges."""
