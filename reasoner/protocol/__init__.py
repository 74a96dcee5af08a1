"""How a model marks its thinking, and the controllers that hold it to its limits."""
