"""A plugin that refutes every step with an even number of letters, so that any model meets it."""

from reasoner.plugin_host.hookspecs import hookimpl
from reasoner.types.verdict import Outcome, Verdict

__all__ = ["refutes", "verify_step"]


def refutes(text: str) -> bool:
    return len(text) % 2 == 0


@hookimpl
def verify_step(text: str, seconds: float) -> Verdict | None:
    if not refutes(text):
        return None
    return Verdict(verifier="picky", outcome=Outcome.FAIL, score=0.0, reason="an even length")
