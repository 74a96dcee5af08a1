"""What each way of choosing makes of the same lines of thought, and what it costs.

    python -m bench.pool DATA.jsonl --keep LINES.jsonl --texts 16 [--programs 12] [--brief]
    python -m bench.votes LINES.jsonl [--brief]

Lines are taken in the order of their numbers, so every way sees the same ones first. A vote that
may stop early is played as if lines that run side by side wrote at the same pace; what those had
written that it did not wait for counts. Where programs were drawn, cross-checks are played, too,
one line after another as their votes are needed; `--brief` says that the reasonings were drawn so
and count accordingly. Intervals are Wilson's; won and lost are the
problems that a way gets right and another one wrong, or the other way round, with the sign test's
p.
"""

import argparse
import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from bench.pool import PoolCandidate, read_pool
from reasoner.metrics import sign_test, wilson_interval
from reasoner.plugin_host.host import PluginHost
from reasoner.search.operators.aggregate import AnswerEquality, group_by_answer
from reasoner.search.operators.evaluate import candidate_score
from reasoner.search.strategies.cross_check.ballot import (
    FULL_REASONING_WEIGHT,
    RouteCandidates,
    choose_answer,
)
from reasoner.search.strategies.majority import AdaptiveVote, MajorityParameters
from reasoner.search.strategies.ranking import rank_by_answer

COMPARISON_SECONDS = 5.0
MAX_REASONINGS = 16
"""Reasonings that the ways below ask for."""


class VoteOutcome(NamedTuple):
    """How good an answer was found (0 or 1, or the share of several that are right), and what had
    been written by then."""

    right: float
    tokens: float


VotingMethod = Callable[[Sequence[PoolCandidate], AnswerEquality], Awaitable[VoteOutcome]]


async def first_reasoning(lines: Sequence[PoolCandidate], _same: AnswerEquality) -> VoteOutcome:
    return _mean([one for one in lines if one.kind == "first"])


async def mean_reasoning(lines: Sequence[PoolCandidate], _same: AnswerEquality) -> VoteOutcome:
    return _mean([one for one in lines if one.kind == "text"])


async def weighted_vote(
    lines: Sequence[PoolCandidate], same: AnswerEquality, n: int
) -> VoteOutcome:
    drawn = _texts(lines, n)
    found = await rank_by_answer([one.attempt for one in drawn], same, vote_weight=candidate_score)
    return VoteOutcome(_right(drawn, found.candidates[0].number), sum(map(_tokens, drawn)))


async def majority_vote(
    lines: Sequence[PoolCandidate], same: AnswerEquality, how: MajorityParameters
) -> VoteOutcome:
    """The strategy's own poll, asked when to begin another line and whether to wait for those
    that run."""
    drawn = _texts(lines, how.n)
    poll = AdaptiveVote(how, varied=True, over=lambda: False)
    running: list[tuple[int, int]] = []
    attempts, clock, started, spent = [], 0, 0, 0
    while True:
        while poll.wants_more(len(running)):
            heapq.heappush(running, (clock + _tokens(drawn[started]), started))
            started += 1
        if not running:
            break
        clock, index = heapq.heappop(running)
        attempts.append(drawn[index].attempt)
        spent += _tokens(drawn[index])
        poll.set_votes(await group_by_answer(attempts, same), len(attempts))
        if poll.is_decided:
            break
    spent += sum(_tokens(drawn[index]) - (end - clock) for end, index in running)
    found = await rank_by_answer(attempts, same, vote_weight=poll.vote_weight)
    return VoteOutcome(_right(drawn, found.candidates[0].number), spent)


async def cross_check_vote(
    lines: Sequence[PoolCandidate],
    same: AnswerEquality,
    programs: int,
    reasonings: int,
    threshold: float,
    brief: bool,
) -> VoteOutcome:
    """A cross-check: the first reasoning and a program, then more until it is sure enough."""
    begin = next(one for one in lines if one.kind == "first")
    printed = [one for one in lines if one.kind == "program"][:programs]
    texts = _texts(lines, reasonings - 1)
    votes = [begin, printed.pop(0)]
    ballot = RouteCandidates(begin.question, [begin.attempt], [votes[-1].attempt])
    reasoned, most = (
        (ballot.brief_reasonings, 1.0) if brief else (ballot.full_reasonings, FULL_REASONING_WEIGHT)
    )
    while printed or texts:
        left = most * (len(printed) + len(texts))
        if (await ballot.tally_votes(same)).is_decided(threshold, left):
            break
        votes.append((printed if len(printed) >= len(texts) else texts).pop(0))
        kept = ballot.programs if votes[-1].kind == "program" else reasoned
        kept.append(votes[-1].attempt)
    found = await choose_answer(ballot, same)
    return VoteOutcome(_right(votes, found.candidates[0].number), sum(map(_tokens, votes)))


def _texts(lines: Sequence[PoolCandidate], n: int) -> list[PoolCandidate]:
    return [one for one in lines if one.kind == "text"][:n]


def _tokens(line: PoolCandidate) -> int:
    return len(line.attempt.trajectory.tokens)


def _right(lines: Sequence[PoolCandidate], number: int) -> float:
    return next(float(one.right) for one in lines if one.attempt.number == number)


def _mean(lines: Sequence[PoolCandidate]) -> VoteOutcome:
    return VoteOutcome(fmean(one.right for one in lines), fmean(map(_tokens, lines)))


FULL_MAJORITY = {"at_once": 16, "adaptive": False, "weigh": False}
VOTING_METHODS: dict[str, VotingMethod] = {
    "first (greedy)": first_reasoning,
    "one of the lines": mean_reasoning,
    "majority of 8": partial(
        majority_vote, how=MajorityParameters.model_validate({**FULL_MAJORITY, "n": 8})
    ),
    "weighted best of 8": partial(weighted_vote, n=8),
    "majority of 16": partial(
        majority_vote, how=MajorityParameters.model_validate({**FULL_MAJORITY, "n": 16})
    ),
    "adaptive, at most 16": partial(
        majority_vote, how=MajorityParameters.model_validate({"n": 16})
    ),
}
CROSS_CHECK_METHODS: dict[str, Callable[..., Awaitable[VoteOutcome]]] = {
    f"cross-check, {programs} and {reasonings}, {threshold:.0%}": partial(
        cross_check_vote, programs=programs, reasonings=reasonings, threshold=threshold
    )
    for programs, reasonings, threshold in ((6, 1, 0.65), (8, 1, 0.8), (15, 5, 0.8), (15, 16, 0.9))
}
COMPARED_METHODS = (
    ("weighted best of 8", "majority of 8"),
    ("weighted best of 8", "first (greedy)"),
    ("adaptive, at most 16", "majority of 16"),
    *((name, "first (greedy)") for name in CROSS_CHECK_METHODS),
)


async def apply_methods(
    problems: Sequence[Sequence[PoolCandidate]], *, brief: bool = False
) -> dict[str, list[VoteOutcome]]:
    with PluginHost() as verifiers:

        async def same(left: str, right: str) -> bool:
            return left == right or bool(
                await verifiers.same_answer(left, right, COMPARISON_SECONDS)
            )

        ways = dict(VOTING_METHODS)
        if all(any(one.kind == "program" for one in lines) for lines in problems):
            ways |= {name: partial(way, brief=brief) for name, way in CROSS_CHECK_METHODS.items()}
        return {name: [await way(lines, same) for lines in problems] for name, way in ways.items()}


def print_report(played: dict[str, list[VoteOutcome]]) -> None:
    print("| way | right | 95 % | tokens each |\n|---|---|---|---|")
    for name, chosen in played.items():
        right = sum(one.right for one in chosen)
        low, high = wilson_interval(round(right), len(chosen))
        tokens = fmean(one.tokens for one in chosen)
        print(f"| {name} | {right:.1f} of {len(chosen)} | {low:.0%} to {high:.0%} | {tokens:.0f} |")
    print()
    for name, other in COMPARED_METHODS:
        if name not in played:
            continue
        pairs = list(zip(played[name], played[other], strict=True))
        won = sum(one.right > two.right for one, two in pairs)
        lost = sum(one.right < two.right for one, two in pairs)
        cost = sum(a.tokens for a, _ in pairs) / sum(b.tokens for _, b in pairs)
        print(
            f"{name} against {other}: {won} won, {lost} lost (p = {sign_test(won, lost):.2f}), "
            f"{cost:.2f} times the tokens"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("lines", type=Path)
    parser.add_argument("--brief", action="store_true")
    options = parser.parse_args()
    grouped = groupby(read_pool(options.lines), key=lambda one: one.problem)
    problems = [list(lines) for _, lines in grouped]
    if (
        not problems
        or min(len(_texts(lines, MAX_REASONINGS)) for lines in problems) < MAX_REASONINGS
    ):
        raise SystemExit(
            f"{options.lines} needs {MAX_REASONINGS} reasonings of each problem: see bench.pool"
        )
    print_report(asyncio.run(apply_methods(problems, brief=options.brief)))


if __name__ == "__main__":
    main()
