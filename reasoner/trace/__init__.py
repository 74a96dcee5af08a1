"""What a run left behind: its events as a tree, and as a file."""
