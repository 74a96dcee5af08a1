"""The real command, in a real process, through real pipes and a real pseudo-terminal."""
