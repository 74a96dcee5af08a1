"""Training of small policies, process reward models and value heads; most modules need the extra
`train`."""
