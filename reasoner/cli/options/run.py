"""The options shared by the commands that run a model, as the fields of one dataclass."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from reasoner.cli.help.completion import (
    complete_formats,
    complete_models,
    complete_strategies,
    complete_strategy_options,
)
from reasoner.cli.options.engine import EngineOptions
from reasoner.cli.options.pairs import parse_pairs
from reasoner.cli.options.template import TemplateOptions

__all__ = ["RunOptions"]

THINKING_PANEL = "Thinking"
SETTING_FIELDS = (
    "model",
    "server",
    "system",
    "effort",
    "budget",
    "min_steps",
    "max_steps",
    "max_tokens",
    "stop",
    "protocol",
    "value",
    "value_format",
    "value_head",
    "strategy",
    "search_budget",
    "seed",
    "temperature",
    "tools",
)
"""Options that are fields of `Settings` under the same name."""


@dataclass(frozen=True)
class RunOptions(TemplateOptions, EngineOptions):
    """Model, reasoning limits, search and hardware; None leaves a value to the settings."""

    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="Name of `reasoner models list`, path to a GGUF, owner/repo[:quant] on the Hub, "
            "or http://host:port/v1#name.",
            autocompletion=complete_models,
        ),
    ] = None
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Ask a running `reasoner serve` instead."),
    ] = None
    system: Annotated[
        str | None,
        typer.Option(
            "--system", "-s", metavar="TEXT", help="System prompt, in place of the protocol's own."
        ),
    ] = None
    effort: Annotated[
        Literal["low", "medium", "high", "max"] | None,
        typer.Option(help="How much to try and to think (medium).", rich_help_panel=THINKING_PANEL),
    ] = None
    budget: Annotated[
        int | None,
        typer.Option(
            metavar="TOKENS",
            help="Most reasoning tokens; the answer still follows (default: by the effort).",
            rich_help_panel=THINKING_PANEL,
        ),
    ] = None
    no_think: Annotated[
        bool,
        typer.Option("--no-think", help="Answer at once.", rich_help_panel=THINKING_PANEL),
    ] = False
    min_steps: Annotated[
        int | None,
        typer.Option(metavar="N", help="Fewest steps.", rich_help_panel=THINKING_PANEL),
    ] = None
    max_steps: Annotated[
        int | None,
        typer.Option(metavar="N", help="Most steps.", rich_help_panel=THINKING_PANEL),
    ] = None
    decide: Annotated[
        bool,
        typer.Option(
            "--decide",
            help="After each step, let the model choose: go on, take it back, or end.",
            rich_help_panel=THINKING_PANEL,
        ),
    ] = False
    max_tokens: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Most tokens of the whole reply.", rich_help_panel=THINKING_PANEL
        ),
    ] = None
    stop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="Text before which the answer ends; may be repeated.",
            rich_help_panel=THINKING_PANEL,
        ),
    ] = None
    timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="Wall clock for a question.", rich_help_panel=THINKING_PANEL
        ),
    ] = None
    protocol: Annotated[
        Literal["plain", "think", "steiner"] | None,
        typer.Option(
            help="How the model marks its thinking (default: as the model is known to).",
            rich_help_panel=THINKING_PANEL,
        ),
    ] = None
    value: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Model that scores the steps; self: the same one; off. Several: A,B@FORMAT.",
            rich_help_panel=THINKING_PANEL,
            autocompletion=complete_models,
        ),
    ] = None
    value_format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How it is asked: judge, rlhflow, math-shepherd …",
            autocompletion=complete_formats,
            rich_help_panel=THINKING_PANEL,
        ),
    ] = None
    value_head: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Head that reads the scores.", rich_help_panel=THINKING_PANEL
        ),
    ] = None
    strategy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How to search; see `reasoner strategies list` (default: by the effort).",
            autocompletion=complete_strategies,
            rich_help_panel=THINKING_PANEL,
        ),
    ] = None
    strategy_option: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy-option",
            "-S",
            metavar="KEY=VALUE",
            help="Strategy option, such as n=8; may be repeated.",
            autocompletion=complete_strategy_options,
            rich_help_panel=THINKING_PANEL,
        ),
    ] = None
    search_budget: Annotated[
        int | None,
        typer.Option(
            metavar="TOKENS",
            help="Most tokens of a whole search, all its trajectories together.",
            rich_help_panel=THINKING_PANEL,
        ),
    ] = None
    tools: Annotated[
        Literal["off", "auto", "force"] | None,
        typer.Option(
            help="Let the model run Python in mid-thought (sandboxed).",
            rich_help_panel=THINKING_PANEL,
        ),
    ] = None
    until_verified: Annotated[
        bool,
        typer.Option(
            "--until-verified",
            help="Search until the known answer (--expect) or given tests confirm a candidate.",
            rich_help_panel=THINKING_PANEL,
        ),
    ] = False
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Fixes the sampling (0).", rich_help_panel=THINKING_PANEL),
    ] = None
    temperature: Annotated[
        float | None,
        typer.Option(metavar="T", help="0 is greedy.", rich_help_panel=THINKING_PANEL),
    ] = None
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            "-o",
            metavar="KEY=VALUE",
            help="Sampling option, such as top_p=0.9; may be repeated.",
            rich_help_panel=THINKING_PANEL,
        ),
    ] = None
    no_verify: Annotated[
        bool,
        typer.Option(
            "--no-verify", help="Do not check the answer.", rich_help_panel=THINKING_PANEL
        ),
    ] = False
    unsafe_exec: Annotated[
        bool,
        typer.Option(
            "--unsafe-exec",
            help="Run the model's code even where there is no sandbox for it.",
            rich_help_panel=THINKING_PANEL,
        ),
    ] = False

    def flags(self) -> dict[str, Any]:
        """Return the fields of `Settings` that were given. Raises UsageError for a bad pair,
        or a chat template that does not exist."""
        flags = {name: getattr(self, name) for name in SETTING_FIELDS} | {"seconds": self.timeout}
        flags |= {"think": False if self.no_think else None}
        flags |= {"verify": False if self.no_verify else None}
        flags |= {"offline": self.offline or None, "until_verified": self.until_verified or None}
        flags |= {"unsafe_exec": self.unsafe_exec or None, "decide": self.decide or None}
        flags |= {"sampling": parse_pairs(self.option or [], "-o", "top_p=0.9") or None}
        strategy_options = parse_pairs(self.strategy_option or [], "-S", "n=8")
        flags |= {"strategy_options": strategy_options or None}
        flags |= {"engine": self.engine_fields() or None, **self.template_flags()}
        return {name: value for name, value in flags.items() if value is not None}
