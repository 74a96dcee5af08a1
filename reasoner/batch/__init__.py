"""Many questions in one go: items in, records out, each exactly once."""
