"""Models by name: the registry, where their files come from, and what their metadata says.

Import from the submodules. `ensure.ensure_model` turns a name into a checked file on this machine.
"""
