"""Measures settings on questions with known answers, and reports what they are worth."""
