"""Everything that outlives a run: the history of questions and answers, and the disk caches."""
