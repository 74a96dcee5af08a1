"""Tokens in, tokens out: one llama.cpp context, one worker thread, many sequences.

The package does not depend on questions, steps or answers.
"""
