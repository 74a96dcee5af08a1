"""What outlives a run: the history of what was asked, and caches of what was worked out."""
