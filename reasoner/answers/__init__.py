"""Final answers: how they are found in a reply, and the status that verdicts give them."""
