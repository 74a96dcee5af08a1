"""Extraction of final answers, the plugin host, worker processes, and the status of verdicts."""
