"""How a structure of thought grows: one file per strategy, one dictionary of names."""
