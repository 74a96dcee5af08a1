"""How models mark reasoning steps, and the controllers that enforce limits on them."""
