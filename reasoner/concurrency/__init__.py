"""Helpers for asyncio: a bounded map, a cancelling gather, and calls with a time limit."""
