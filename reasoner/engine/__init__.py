"""Tokens in, tokens out: one llama.cpp context, one worker thread, many sequences.

This room knows nothing of questions, steps or answers.
"""
