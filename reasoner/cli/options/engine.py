"""The options for the engine and the hardware."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

__all__ = ["ENGINE_FIELDS", "EngineOptions"]

ENGINE_PANEL = "Engine"
ENGINE_FIELDS = (
    "context",
    "threads",
    "gpu_layers",
    "main_gpu",
    "tensor_split",
    "kv_type",
    "flash_attention",
    "lora",
)
"""Options that are fields of the settings of the engine."""


@dataclass(frozen=True)
class EngineOptions:
    """Context, threads, GPUs and adapters; None leaves a value to the settings."""

    offline: Annotated[
        bool,
        typer.Option("--offline", help="Use cached models only.", rich_help_panel=ENGINE_PANEL),
    ] = False
    context: Annotated[
        int | None,
        typer.Option(
            metavar="TOKENS",
            help="Size of the KV cache, which all trajectories share.",
            rich_help_panel=ENGINE_PANEL,
        ),
    ] = None
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", help="CPU threads.", rich_help_panel=ENGINE_PANEL),
    ] = None
    gpu_layers: Annotated[
        str | None,
        typer.Option(
            metavar="N|auto|all",
            help="Layers to put on the GPU (auto).",
            rich_help_panel=ENGINE_PANEL,
        ),
    ] = None
    main_gpu: Annotated[
        int | None,
        typer.Option(metavar="N", help="The GPU that goes first.", rich_help_panel=ENGINE_PANEL),
    ] = None
    tensor_split: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…", help="Share of the model for each GPU.", rich_help_panel=ENGINE_PANEL
        ),
    ] = None
    kv_type: Annotated[
        Literal["f16", "q8_0", "q4_0"] | None,
        typer.Option(help="Precision of the KV cache (f16).", rich_help_panel=ENGINE_PANEL),
    ] = None
    flash_attention: Annotated[
        Literal["auto", "on", "off"] | None,
        typer.Option(help="Fused attention (auto).", rich_help_panel=ENGINE_PANEL),
    ] = None
    lora: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE[:SCALE]",
            help="LoRA adapter to apply to the model; may be repeated.",
            rich_help_panel=ENGINE_PANEL,
        ),
    ] = None

    def engine_fields(self) -> dict[str, Any]:
        """Return the fields of the engine's settings that were given."""
        fields = {name: getattr(self, name) for name in ENGINE_FIELDS}
        if self.tensor_split is not None:
            fields["tensor_split"] = [share.strip() for share in self.tensor_split.split(",")]
        return {name: value for name, value in fields.items() if value not in (None, [])}
