"""Batches of questions: items in, one record out for each."""
