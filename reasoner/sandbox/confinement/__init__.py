"""Confinement that a child process applies to itself before it handles hostile text or code."""

__all__ = ["confine_process"]

from collections.abc import Sequence

from reasoner.sandbox.confinement import landlock, seccomp


def confine_process(methods: Sequence[str], read: Sequence[str], write: Sequence[str] = ()) -> None:
    """Apply `methods`, of "landlock" and "seccomp", irrevocably to this process.

    Only the trees `read` can then be read, and only the trees `write` changed. Raises OSError
    when a method cannot be applied.
    """
    if "landlock" in methods:
        landlock.apply_landlock(read, write)
    if "seccomp" in methods:
        seccomp.apply_seccomp()
