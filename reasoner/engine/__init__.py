"""Tokens in, tokens out: the contract of an engine. It knows nothing of questions or answers."""
