"""Pipelines that make data to train on and train with it; the command line only calls them."""
