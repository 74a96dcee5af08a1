"""`reasoner cache`: the caches of answers, verdicts and prompts, and how large they are."""

from typing import Annotated, Any

import typer

from reasoner.cache.disk_cache import CACHE_NAMES, open_disk_cache
from reasoner.cli.help.commands import Commands
from reasoner.cli.options.json_output import JsonFlag, print_json
from reasoner.errors import UnknownName

__all__ = ["app"]

app = Commands("Show or empty the caches: answers, verdicts, and prompts as a model has read them.")


@app.command()
def info(json: JsonFlag = False) -> None:
    """Show how much is kept, where, and how much may be."""
    rows = [_row(name) for name in CACHE_NAMES]
    if json:
        print_json(rows, indent=2)
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
    json: JsonFlag = False,
) -> None:
    """Empty the caches. Models and the history are not touched."""
    names = CACHE_NAMES if name is None else [_known_cache(name)]
    removed = {cache: open_disk_cache(cache).clear() for cache in names}
    if json:
        print_json({"removed": removed})
    else:
        print(", ".join(f"{cache}: {count} removed" for cache, count in removed.items()))


def _known_cache(name: str) -> str:
    if name not in CACHE_NAMES:
        raise UnknownName("cache", name[:40], CACHE_NAMES, "(reasoner cache info)")
    return name


def _row(name: str) -> dict[str, Any]:
    """Return a cache's size in entries and bytes, its limit in bytes, and its folder."""
    cache = open_disk_cache(name)
    entries, size = cache.usage()
    cache.close()
    folder = str(cache.directory)
    return {
        "name": name,
        "entries": entries,
        "bytes": size,
        "limit": cache.max_bytes,
        "path": folder,
    }
