"""Measurements, each against a peer in the same run; none of them is a test."""
