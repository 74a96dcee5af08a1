"""Models that a server elsewhere has loaded, and how they are named: `http://host:port/v1#model`,
or an entry of models.toml with a `url`."""

import re

from pydantic import BaseModel, ConfigDict

from reasoner.models.catalog import registry
from reasoner.models.spec import ModelSpec

__all__ = ["ServedModel", "served_model"]

ADDRESS = re.compile(r"https?://[^/\s]+")


class ServedModel(BaseModel):
    """`address` is where its completions are, without `/completions`; `model` is what the server
    calls it, None for the only one there; `spec` is the registry's entry, if it has one."""

    model_config = ConfigDict(frozen=True)

    name: str
    address: str
    model: str | None = None
    spec: ModelSpec | None = None


def served_model(name: str) -> ServedModel | None:
    """The served model that `name` stands for, or None when it means a file."""
    if re.match(r"https?://", name):
        return _served(name, name, None)
    known = registry()
    spec = known.get(name) or known.get(name.lower())
    return _served(name, spec.url, spec) if spec and spec.url else None


def _served(name: str, url: str, spec: ModelSpec | None) -> ServedModel:
    address, _, model = url.partition("#")
    address = address.rstrip("/")
    if ADDRESS.fullmatch(address):
        address += "/v1"
    return ServedModel(name=name, address=address, model=model or None, spec=spec)
