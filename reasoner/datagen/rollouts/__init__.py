"""Rollouts of a policy on problems with known answers, labelled step by step."""
