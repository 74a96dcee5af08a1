"""What a child process can do to itself so that hostile text or code in it reaches nothing."""

__all__ = ["confine"]

from collections.abc import Sequence


def confine(methods: Sequence[str], read: Sequence[str], write: Sequence[str] = ()) -> None:
    """Apply `landlock` and `seccomp`, those that are asked for, for good; OSError if one fails."""
    from reasoner.verify.confine import landlock, seccomp

    if "landlock" in methods:
        landlock.apply(read, write)
    if "seccomp" in methods:
        seccomp.apply()
