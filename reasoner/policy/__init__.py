"""The policy: a model that continues a trajectory by one step, with its prompts and its budget."""
