"""How a model marks its reasoning, and what shows it."""

from reasoner.models.metadata import ModelMetadata
from reasoner.models.spec import ModelSpec
from reasoner.policy.template_evidence import find_marks
from reasoner.protocol.marks import THINK_MARKS
from reasoner.types.reasoning_marks import ReasoningMarks

__all__ = ["describe_protocol"]


def describe_protocol(info: ModelMetadata, spec: ModelSpec | None) -> dict[str, str]:
    """Return the protocol by which a model is run, the marks of its reasoning and the evidence."""
    named = spec.protocol if spec else None
    if named == "steiner" or (named is None and info.has_steiner_marks):
        reason = "models.toml" if named else "the vocabulary has all of Steiner's tokens"
        return {"protocol": "steiner", "evidence": reason}
    if named == "plain":
        return {"protocol": "plain", "evidence": "models.toml"}
    if spec is not None and spec.marks is not None:
        return _think(spec.marks, "models.toml")
    if evidence := find_marks(info.chat_template or ""):
        return _think(evidence.marks, evidence.reason)
    if named == "think":
        return _think(THINK_MARKS, "models.toml")
    reason = "the chat template shows no marks of reasoning; a block that opens a reply is noticed"
    return {"protocol": "plain", "evidence": reason}


def _think(marks: ReasoningMarks, reason: str) -> dict[str, str]:
    return {
        "protocol": "think",
        "marks": f"{marks.opening} … {marks.closing}",
        "evidence": reason,
    }
