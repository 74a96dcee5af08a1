"""The warm child in which all text from models is read as mathematics."""

import os
import sys
from fractions import Fraction
from typing import Any

from reasoner.sandbox.worker_main import serve_requests

__all__ = ["main"]

MAX_SHOWN = 20


def main() -> None:
    """Answer `compare` and `arithmetic` requests until stdin closes.

    Nothing in here is known to execute what it reads; in case something does, the worker first
    gives up files, network and processes where the kernel lets it.
    """
    confined = _confine()
    serve_requests(lambda request: _answer(request) | {"confined": confined})


def _confine() -> str:
    """What the worker did to itself, for `doctor`."""
    from reasoner.sandbox.confinement import confine_process, landlock, seccomp
    from reasoner.sandbox.confinement.trees import DEVICES, package_folders, readable_trees

    if sys.platform != "linux":
        return "limits only"
    done = []
    try:
        if landlock.landlock_version():
            installed = [entry for entry in sys.path if entry.endswith("-packages")]
            confine_process(
                ["landlock"],
                [*readable_trees(), *package_folders(os.path.dirname(__file__)), *installed],
                DEVICES[:1],
            )
            done.append("landlock")
        seccomp.apply_seccomp()
        done.append("seccomp")
    except OSError:
        pass
    return " + ".join(done) or "limits only"


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    if request["task"] == "compare":
        return _compare(str(request["gold"]), str(request["said"]), int(request["places"]))
    if request["task"] == "warm":
        from sympy_check.equality import compare

        return {"relation": compare(r"\sqrt{8}", r"2\sqrt{2}").relation.value}
    texts = [str(text) for text in request["texts"]]
    return _arithmetic(texts, request.get("final"), str(request.get("question", "")))


def _compare(gold: str, said: str, places: int) -> dict[str, Any]:
    from sympy_check.equality import compare

    equality = compare(gold, said, places)
    return {"relation": equality.relation.value, "reason": equality.reason}


def _arithmetic(texts: list[str], final: str | None, question: str) -> dict[str, Any]:
    from sympy_check.arithmetic import Judgement
    from sympy_check.solutions import check_solution
    from sympy_check.steps import check_texts

    solution = check_solution(question, final)
    checked = [*check_texts(texts), *([solution] if solution else [])]
    holding = [c for c in checked if c.judgement is Judgement.HOLDS]
    wrong = [c for c in checked if c.judgement is Judgement.WRONG]
    value = _value(final)
    backing = [c for c in holding if c is solution or value & {c.left, c.right}]
    shown = [*wrong, *backing[-1:], *holding]
    return {
        "holding": len(holding),
        "wrong": len(wrong),
        "backing": backing[-1].text if backing else None,
        "equations": [
            {
                "text": c.text,
                "judgement": c.judgement.value,
                "value": c.note or _value_shown(c.left),
            }
            for c in dict.fromkeys(shown[: 2 * MAX_SHOWN])
        ][:MAX_SHOWN],
    }


def _value(final: str | None) -> set[Fraction | None]:
    """The number a final answer is, with and without its percent sign, or the value of a formula
    at the first point of comparison; empty when it is neither."""
    from sympy_check.formulas import read_side
    from sympy_check.normal import MAX_LENGTH, normalise
    from sympy_check.quantity import quantity

    if final is None or len(final) > MAX_LENGTH:
        return set()
    text = normalise(final)
    if text.count("=") == 1:
        text = text.partition("=")[2].strip()
    if found := quantity(text):
        return {found.value, found.number}
    side = read_side(text)
    return ({side.print()[0]} if side and side.variables else set()) - {None}


def _value_shown(value: Fraction | None) -> str:
    return f"it is {_shown(value)}" if value is not None else ""


def _shown(value: Fraction | None) -> str:
    """A fraction as people write it: whole, as a short decimal, or as it is."""
    if value is None:
        return ""
    if value.denominator == 1:
        return str(value.numerator)
    for places in range(1, 7):
        if (value * 10**places).denominator == 1:
            return f"{float(value):.{places}f}"
    return f"{value.numerator}/{value.denominator}"
