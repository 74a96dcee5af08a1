"""Problems whose every state a program can judge, and reasoning paths through them."""
