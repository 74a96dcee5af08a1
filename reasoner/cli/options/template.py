"""The options for the model's chat template."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from reasoner.cli.options.pairs import parse_pairs
from reasoner.cli.options.question import read_text_file
from reasoner.errors import UsageError
from reasoner.models.chat_templates import CHAT_TEMPLATES, resolve_chat_template

__all__ = ["TemplateOptions"]

PROMPT_PANEL = "Prompt"
MAX_TEMPLATE_BYTES = 2**20


@dataclass(frozen=True)
class TemplateOptions:
    """Which chat template makes the prompts, and what it is told."""

    template_arg: Annotated[
        list[str] | None,
        typer.Option(
            "--template-arg",
            metavar="KEY=VALUE",
            help="Variable of the chat template, such as enable_thinking=false; may be repeated.",
            rich_help_panel=PROMPT_PANEL,
        ),
    ] = None
    chat_template: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|NAME",
            help="Jinja in place of the model's own template: a file, or "
            f"{', '.join(CHAT_TEMPLATES)}.",
            rich_help_panel=PROMPT_PANEL,
        ),
    ] = None

    def template_flags(self) -> dict[str, Any]:
        """Return the fields of `Settings` that were given.

        Raises UsageError for a bad pair or a file that is no template, and UnknownName for what is
        neither a file nor the name of a template.
        """
        arguments = parse_pairs(self.template_arg or [], "--template-arg", "enable_thinking=false")
        chosen = self.chat_template
        source = None if chosen is None else _read_template(chosen)
        return {"template_args": arguments or None, "chat_template": source}


def _read_template(name: str) -> str:
    """The source of a named template, or of the one in a file. Raises UsageError."""
    path = Path(name).expanduser()
    if name in CHAT_TEMPLATES or not path.is_file():
        return resolve_chat_template(name)
    if path.stat().st_size > MAX_TEMPLATE_BYTES:
        raise UsageError(f"{path} is larger than a megabyte; no chat template is")
    source = read_text_file(path)
    if "{{" not in source and "{%" not in source:
        raise UsageError(f"{path} is no chat template: it has nothing of Jinja's {{{{ … }}}}")
    return source
