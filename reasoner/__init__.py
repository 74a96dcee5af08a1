"""reasoner: hard questions answered on your own machine, with evidence. Importing it is free."""
