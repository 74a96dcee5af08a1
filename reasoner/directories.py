"""The directories of the program, and the files that are found at fixed places in them."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

__all__ = ["Directories", "directories"]


class Directories(BaseModel):
    """The directories of the program; each is created when something is first written to it."""

    model_config = ConfigDict(frozen=True)

    config: Path
    cache: Path
    data: Path

    @property
    def models(self) -> Path:
        return self.cache / "models"

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def models_file(self) -> Path:
        return self.config / "models.toml"

    @property
    def history_file(self) -> Path:
        return self.data / "history.db"

    @property
    def plugins(self) -> Path:
        return self.config / "plugins"

    @property
    def plugins_file(self) -> Path:
        return self.config / "plugins.toml"


def directories() -> Directories:
    """The platform's directories; `REASONER_{CONFIG,CACHE,DATA}_DIR` replace them."""
    import platformdirs

    dirs = platformdirs.PlatformDirs("reasoner", appauthor=False)
    paths = {
        "config": dirs.user_config_path,
        "cache": dirs.user_cache_path,
        "data": dirs.user_data_path,
    }
    for name in paths:
        if override := os.environ.get(f"REASONER_{name.upper()}_DIR"):
            paths[name] = Path(override).expanduser()
    return Directories(**paths)
