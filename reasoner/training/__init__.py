"""Training of small policies of our own; needs the extra `train`."""
