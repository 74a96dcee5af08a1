"""Search strategies: one file each, and one dictionary of their names."""
