"""The checks of `doctor`: one function for each thing, with its state and what to do about it."""

import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from reasoner.engine.local.host_memory import available_memory
from reasoner.engine.local.threads import default_threads, usable_cores
from reasoner.errors import ReasonerError
from reasoner.models.installed import find_models
from reasoner.models.registry import load_registry
from reasoner.plugin_host.host import PluginHost
from reasoner.plugin_host.loading import PluginInfo
from reasoner.settings import Settings, directories

__all__ = ["Check", "Level", "run_checks"]

Level = Literal["ok", "warn", "fail"]
GIGABYTE = 10**9
REINSTALL_HINT = "pip install --force-reinstall llama-cpp-python (needs a C++ compiler)"
LEFT_OUT_HINT = "answers are not checked by it until this is repaired"
MEMORY_PER_FILE_SIZE = 1.3
"""Memory a model needs in file sizes: weights, KV cache, compute buffers, this program."""
GPU_DEVICES = ("/dev/nvidia0", "/dev/kfd")
GPU_BUILDS = (
    "a GPU build: CMAKE_ARGS=-DGGML_CUDA=on (or -DGGML_METAL=on, -DGGML_VULKAN=on, -DGGML_HIP=on) "
    "pip install --force-reinstall --no-cache-dir --no-binary llama-cpp-python llama-cpp-python"
)


@dataclass(frozen=True)
class Check:
    """The state of one thing; `hint` is what to do about it."""

    name: str
    level: Level
    detail: str
    hint: str = ""


def run_checks() -> Iterator[Check]:
    """Yield the checks one after the other; a function that raises becomes a failed check."""
    for checks in (_build, _engine, _gpu, _threads, _memory, _directories, _models, _plugins):
        try:
            yield from checks()
        except ReasonerError as error:
            yield Check(checks.__name__.strip("_"), "fail", str(error))
        except Exception as error:
            yield Check(checks.__name__.strip("_"), "fail", f"{type(error).__name__}: {error}")


def _build() -> Iterator[Check]:
    own = f"reasoner {version('reasoner')}, Python {platform.python_version()}"
    yield Check("build", "ok", f"{own}, {platform.system()} {platform.machine()}")


def _engine() -> Iterator[Check]:
    try:
        import llama_cpp
    except Exception as error:
        yield Check("engine", "fail", f"llama-cpp-python does not load: {error}", REINSTALL_HINT)
        return
    info = llama_cpp.llama_print_system_info().decode(errors="replace")
    features = ", ".join(re.findall(r"(\w+) = 1\b", info))
    yield Check("engine", "ok", f"llama-cpp-python {llama_cpp.__version__} ({features})")


def _gpu() -> Iterator[Check]:
    import llama_cpp

    if llama_cpp.llama_supports_gpu_offload():
        yield Check("gpu", "ok", "this build can offload layers to a GPU (--gpu-layers)")
    elif any(Path(device).exists() for device in GPU_DEVICES):
        yield Check("gpu", "warn", "there is a GPU, but this build cannot use it", GPU_BUILDS)
    else:
        yield Check("gpu", "ok", "CPU build: everything runs on the CPU", GPU_BUILDS)


def _threads() -> Iterator[Check]:
    yield Check("threads", "ok", f"{default_threads()} threads on {usable_cores()} usable cores")


def _memory() -> Iterator[Check]:
    name = Settings.load().model
    spec = load_registry().get(name)
    size = spec.size if spec is not None else None
    total, available = _memory_sizes()
    if not total:
        yield Check("memory", "warn", "cannot tell how much memory there is")
        return
    detail = f"{total / GIGABYTE:.1f} GB, {available / GIGABYTE:.1f} GB of it available"
    required = int((size or 0) * MEMORY_PER_FILE_SIZE)
    if size:
        detail += f"; {name} takes about {required / GIGABYTE:.1f} GB"
    level: Level = "fail" if required > total else "warn" if required > available else "ok"
    yield Check("memory", level, detail, "" if level == "ok" else "choose a smaller model with -m")


def _memory_sizes() -> tuple[int, int]:
    """Return the machine's memory and what this process may still use of it, in bytes; zeros where
    unknown."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 0, 0
    return total, min(total, available_memory())


def _directories() -> Iterator[Check]:
    dirs = directories()
    for name, path in (("cache", dirs.cache), ("data", dirs.data), ("config", dirs.config)):
        if _can_write(path):
            yield Check(name, "ok", str(path))
        elif name == "config":
            yield Check(name, "ok", f"{path} (read only)")
        else:
            hint = f"make it writable or set REASONER_{name.upper()}_DIR"
            level: Level = "fail" if name == "cache" else "warn"
            yield Check(name, level, f"{path} cannot be written", hint)


def _can_write(path: Path) -> bool:
    """Return whether the directory, or its nearest existing parent, can be written to."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)


def _models() -> Iterator[Check]:
    default = Settings.load().model
    cached = sorted(item.name for item in find_models())
    listed = ", ".join(cached) or "none yet"
    if default in cached or Path(default).exists():
        yield Check("models", "ok", f"{listed} (default {default})")
    else:
        hint = f"the first question fetches it; or: reasoner models pull {default}"
        yield Check("models", "warn", f"{listed}; the default {default} is not here", hint)


def _plugins() -> Iterator[Check]:
    with PluginHost(unsafe_exec=Settings.load().unsafe_exec) as verifiers:
        for info in verifiers.describe(health=True):
            yield _plugin_check(info)


def _plugin_check(info: PluginInfo) -> Check:
    name, health = f"plugin {info.name}", info.health or {}
    if not info.enabled:
        return Check(name, "ok", f"off ({info.origin})", f"reasoner plugins enable {info.name}")
    if info.error:
        hint = f"repair it, or: reasoner plugins disable {info.name}"
        return Check(name, "warn", info.error, hint)
    detail = f"{info.version or '?'}: {health.get('detail', '')}"
    if health.get("ok") is False:
        return Check(name, "warn", detail, _advice(health))
    return Check(name, "ok", detail)


def _advice(health: dict[str, Any]) -> str:
    """Return what an unhealthy plugin reports: the better ways it attempts and why they failed."""
    attempts = health.get("passed_over")
    if not isinstance(attempts, dict) or not attempts:
        return LEFT_OUT_HINT
    return "; ".join(f"{name}: {reason}" for name, reason in attempts.items())
