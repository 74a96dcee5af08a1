"""Disk caches under exact keys: results, verdicts, and the KV states of prompts."""
