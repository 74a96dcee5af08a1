"""The history of questions and answers, in one SQLite file."""
