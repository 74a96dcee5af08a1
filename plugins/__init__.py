"""The verifiers that come with reasoner, one folder each, loaded through entry points."""
