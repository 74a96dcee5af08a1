"""The test-time strategies, one file each; `registry` maps their names."""
