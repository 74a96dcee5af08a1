"""Runs the Python a reply holds, in the strongest sandbox there is."""
