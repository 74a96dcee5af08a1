"""The nouns of the program: frozen values that every other package may import."""
