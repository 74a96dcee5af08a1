"""The options of every command that runs a model: each declared once, as a field of a dataclass.

Knows how flags become `Settings`; knows nothing about what they do.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from reasoner.cli import complete
from reasoner.cli.pairs import parse_pairs

if TYPE_CHECKING:
    from reasoner.settings import Settings

__all__ = ["ENGINE_FIELDS", "RunOptions"]

THINKING, ENGINE = "Thinking", "Engine"
SAME_NAME = (
    "model",
    "server",
    "system",
    "effort",
    "budget",
    "min_steps",
    "max_steps",
    "max_tokens",
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
ENGINE_FIELDS = (
    "context",
    "threads",
    "gpu_layers",
    "main_gpu",
    "tensor_split",
    "kv_type",
    "flash_attention",
)


@dataclass(frozen=True)
class RunOptions:
    """Which model thinks, how, how long, and on what hardware; None leaves it to the settings."""

    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="Name of `reasoner models list`, path to a GGUF, owner/repo[:quant] on the Hub, "
            "or http://host:port/v1#name.",
            autocompletion=complete.models,
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
        typer.Option(help="How much to try and to think (medium).", rich_help_panel=THINKING),
    ] = None
    budget: Annotated[
        int | None,
        typer.Option(
            metavar="TOKENS",
            help="Most reasoning tokens; the answer still follows (default: by the effort).",
            rich_help_panel=THINKING,
        ),
    ] = None
    no_think: Annotated[
        bool,
        typer.Option("--no-think", help="Answer at once.", rich_help_panel=THINKING),
    ] = False
    min_steps: Annotated[
        int | None,
        typer.Option(metavar="N", help="Fewest steps.", rich_help_panel=THINKING),
    ] = None
    max_steps: Annotated[
        int | None,
        typer.Option(metavar="N", help="Most steps.", rich_help_panel=THINKING),
    ] = None
    decide: Annotated[
        bool,
        typer.Option(
            "--decide",
            help="After each step, let the model choose: go on, take it back, or end.",
            rich_help_panel=THINKING,
        ),
    ] = False
    max_tokens: Annotated[
        int | None,
        typer.Option(metavar="N", help="Most tokens of the whole reply.", rich_help_panel=THINKING),
    ] = None
    timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="Wall clock for a question.", rich_help_panel=THINKING
        ),
    ] = None
    protocol: Annotated[
        Literal["plain", "think", "steiner"] | None,
        typer.Option(
            help="How the model marks its thinking (default: as the model is known to).",
            rich_help_panel=THINKING,
        ),
    ] = None
    value: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Model that scores the steps; self: the same one; off. Several: A,B@FORMAT.",
            rich_help_panel=THINKING,
            autocompletion=complete.models,
        ),
    ] = None
    value_format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How it is asked: judge, rlhflow, math-shepherd …",
            autocompletion=complete.formats,
            rich_help_panel=THINKING,
        ),
    ] = None
    value_head: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Head that reads the scores.", rich_help_panel=THINKING),
    ] = None
    strategy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How to search; see `reasoner strategies list` (default: by the effort).",
            autocompletion=complete.strategies,
            rich_help_panel=THINKING,
        ),
    ] = None
    strategy_option: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy-option",
            "-S",
            metavar="KEY=VALUE",
            help="Strategy option, such as n=8; may be repeated.",
            autocompletion=complete.strategy_options,
            rich_help_panel=THINKING,
        ),
    ] = None
    search_budget: Annotated[
        int | None,
        typer.Option(
            metavar="TOKENS",
            help="Most tokens of a whole search, all its lines together.",
            rich_help_panel=THINKING,
        ),
    ] = None
    tools: Annotated[
        Literal["off", "auto", "force"] | None,
        typer.Option(
            help="Let the model run Python in mid-thought (sandboxed).",
            rich_help_panel=THINKING,
        ),
    ] = None
    until_verified: Annotated[
        bool,
        typer.Option(
            "--until-verified",
            help="Search until the known answer (--expect) or given tests confirm a line.",
            rich_help_panel=THINKING,
        ),
    ] = False
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Fixes the sampling (0).", rich_help_panel=THINKING),
    ] = None
    temperature: Annotated[
        float | None,
        typer.Option(metavar="T", help="0 is greedy.", rich_help_panel=THINKING),
    ] = None
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            "-o",
            metavar="KEY=VALUE",
            help="Sampling option, such as top_p=0.9; may be repeated.",
            rich_help_panel=THINKING,
        ),
    ] = None
    no_verify: Annotated[
        bool,
        typer.Option("--no-verify", help="Do not check the answer.", rich_help_panel=THINKING),
    ] = False
    unsafe_exec: Annotated[
        bool,
        typer.Option(
            "--unsafe-exec",
            help="Run the model's code even where there is no sandbox for it.",
            rich_help_panel=THINKING,
        ),
    ] = False
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Use cached models only.", rich_help_panel=ENGINE),
    ] = False
    context: Annotated[
        int | None,
        typer.Option(
            metavar="TOKENS",
            help="Size of the KV cache, which all lines share.",
            rich_help_panel=ENGINE,
        ),
    ] = None
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", help="CPU threads.", rich_help_panel=ENGINE),
    ] = None
    gpu_layers: Annotated[
        str | None,
        typer.Option(
            metavar="N|auto|all", help="Layers to put on the GPU (auto).", rich_help_panel=ENGINE
        ),
    ] = None
    main_gpu: Annotated[
        int | None,
        typer.Option(metavar="N", help="The GPU that goes first.", rich_help_panel=ENGINE),
    ] = None
    tensor_split: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…", help="Share of the model for each GPU.", rich_help_panel=ENGINE
        ),
    ] = None
    kv_type: Annotated[
        Literal["f16", "q8_0", "q4_0"] | None,
        typer.Option(help="Precision of the KV cache (f16).", rich_help_panel=ENGINE),
    ] = None
    flash_attention: Annotated[
        Literal["auto", "on", "off"] | None,
        typer.Option(help="Fused attention (auto).", rich_help_panel=ENGINE),
    ] = None

    def flags(self) -> dict[str, Any]:
        """The fields of `Settings` that were given, and only those."""
        found = {name: getattr(self, name) for name in SAME_NAME} | {"seconds": self.timeout}
        found |= {"think": False if self.no_think else None}
        found |= {"verify": False if self.no_verify else None}
        found |= {"offline": self.offline or None, "until_verified": self.until_verified or None}
        found |= {"unsafe_exec": self.unsafe_exec or None, "decide": self.decide or None}
        found |= {"sampling": parse_pairs(self.option or [], "-o", "top_p=0.9") or None}
        options = parse_pairs(self.strategy_option or [], "-S", "n=8")
        found |= {"strategy_options": options or None}
        found |= {"engine": self._engine() or None}
        return {name: value for name, value in found.items() if value is not None}

    def settings(self, **more: Any) -> "Settings":
        from reasoner.settings import Settings

        return Settings.load(**self.flags(), **more)

    def _engine(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in ENGINE_FIELDS}
        if self.tensor_split is not None:
            given["tensor_split"] = [share.strip() for share in self.tensor_split.split(",")]
        return {name: value for name, value in given.items() if value is not None}
