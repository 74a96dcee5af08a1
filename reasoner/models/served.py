"""Models that a server has loaded, named by an address, `http://host:port/v1#model`, or by an entry
of models.toml with a `url`."""

import re

from pydantic import BaseModel, ConfigDict

from reasoner.models.registry import load_registry
from reasoner.models.spec import ModelSpec

__all__ = ["ServedModel", "find_served_model"]

BARE_ADDRESS = re.compile(r"https?://[^/\s]+")


class ServedModel(BaseModel):
    """A model on a server. `address` is the URL before `/completions`; `model` is the server's name
    for it, None for the only one there; `spec` is the registry's entry, if it has one."""

    model_config = ConfigDict(frozen=True)

    name: str
    address: str
    model: str | None = None
    spec: ModelSpec | None = None


def find_served_model(name: str) -> ServedModel | None:
    """The served model called `name`, or None when the name means a file. Raises UsageError for a
    malformed registry."""
    if re.match(r"https?://", name):
        return _served(name, name, None)
    models = load_registry()
    spec = models.get(name) or models.get(name.lower())
    return _served(name, spec.url, spec) if spec and spec.url else None


def _served(name: str, url: str, spec: ModelSpec | None) -> ServedModel:
    address, _, model = url.partition("#")
    address = address.rstrip("/")
    if BARE_ADDRESS.fullmatch(address):
        address += "/v1"
    return ServedModel(name=name, address=address, model=model or None, spec=spec)
