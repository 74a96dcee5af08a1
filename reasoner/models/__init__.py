"""Models by name: the registry, where their files come from, and what their metadata says.

Import from the submodules. `fetch.ensure_model` turns a name into a checked file on this machine.
"""
