"""`reasoner cache`: what is kept so that it need not be worked out again."""

import json as jsonlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reasoner.cli.command import Commands
from reasoner.errors import UnknownName

if TYPE_CHECKING:
    from reasoner.store.vault import Vault

__all__ = ["app"]

app = Commands("Show or empty the caches: answers, verdicts, and prompts as a model has read them.")

Json = Annotated[bool, typer.Option("--json", help="One JSON object or list on stdout.")]


@app.command()
def info(json: Json = False) -> None:
    """Show how much is kept, where, and how much may be."""
    from reasoner.store.vault import NAMES

    rows = [_row(name) for name in NAMES]
    if json:
        print(jsonlib.dumps(rows, indent=2))
        return
    for row in rows:
        size, limit = f"{row['bytes'] / 1e6:.0f} MB", f"{row['limit'] / 1e6:.0f} MB"
        print(
            f"{row['name']:<8} {row['entries']:>6} entries  {size:>8} of {limit:<8} {row['path']}"
        )


@app.command()
def clear(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Only this one: results, verdicts or prompts."),
    ] = None,
    json: Json = False,
) -> None:
    """Empty the caches. Models and the history are not touched."""
    from reasoner.store.vault import NAMES

    if name is not None and name not in NAMES:
        raise UnknownName("cache", name[:40], NAMES, "(reasoner cache info)")
    removed = {each: _vault(each).clear() for each in ([name] if name else NAMES)}
    if json:
        print(jsonlib.dumps({"removed": removed}))
    else:
        print(", ".join(f"{each}: {count} removed" for each, count in removed.items()))


def _row(name: str) -> dict[str, Any]:
    vault = _vault(name)
    entries, size = vault.measure()
    vault.close()
    place = str(vault.directory)
    return {"name": name, "entries": entries, "bytes": size, "limit": vault.limit, "path": place}


def _vault(name: str) -> "Vault":
    from reasoner.store.vault import open_vault

    return open_vault(name)
