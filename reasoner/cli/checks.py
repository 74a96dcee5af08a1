"""What `doctor` looks at: one function for each thing, which says how it is and what to do."""

import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reasoner.errors import ReasonerError

__all__ = ["Check", "Level", "run_checks"]

Level = Literal["ok", "warn", "fail"]
GIGABYTE = 10**9
LEFT_OUT = "answers are not checked by it until this is repaired"
HEADROOM = 1.3
"""Memory a model needs over its file's size: KV cache, compute buffers, this program."""
GPU_DEVICES = ("/dev/nvidia0", "/dev/kfd")
GPU_BUILDS = (
    "a GPU build: CMAKE_ARGS=-DGGML_CUDA=on (or -DGGML_METAL=on, -DGGML_VULKAN=on, -DGGML_HIP=on) "
    "pip install --force-reinstall --no-cache-dir --no-binary llama-cpp-python llama-cpp-python"
)


@dataclass(frozen=True)
class Check:
    """How one thing is; `hint` says what to do about it."""

    name: str
    level: Level
    detail: str
    hint: str = ""


def run_checks() -> Iterator[Check]:
    """Every check, one after the other; one that breaks is itself a finding."""
    for look in (_build, _engine, _gpu, _threads, _memory, _directories, _models, _plugins):
        try:
            yield from look()
        except ReasonerError as error:
            yield Check(look.__name__.strip("_"), "fail", str(error))
        except Exception as error:
            yield Check(look.__name__.strip("_"), "fail", f"{type(error).__name__}: {error}")


def _build() -> Iterator[Check]:
    from importlib.metadata import version

    own = f"reasoner {version('reasoner')}, Python {platform.python_version()}"
    yield Check("build", "ok", f"{own}, {platform.system()} {platform.machine()}")


def _engine() -> Iterator[Check]:
    try:
        import llama_cpp
    except Exception as error:
        yield Check("engine", "fail", f"llama-cpp-python does not load: {error}", _REINSTALL)
        return
    info = llama_cpp.llama_print_system_info().decode(errors="replace")
    on = ", ".join(re.findall(r"(\w+) = 1\b", info))
    yield Check("engine", "ok", f"llama-cpp-python {llama_cpp.__version__} ({on})")


_REINSTALL = "pip install --force-reinstall llama-cpp-python (needs a C++ compiler)"


def _gpu() -> Iterator[Check]:
    import llama_cpp

    if llama_cpp.llama_supports_gpu_offload():
        yield Check("gpu", "ok", "this build can offload layers to a GPU (--gpu-layers)")
    elif any(Path(device).exists() for device in GPU_DEVICES):
        yield Check("gpu", "warn", "there is a GPU, but this build cannot use it", GPU_BUILDS)
    else:
        yield Check("gpu", "ok", "CPU build: everything runs on the CPU", GPU_BUILDS)


def _threads() -> Iterator[Check]:
    from reasoner.engine.threads import default_threads, usable_cores

    yield Check("threads", "ok", f"{default_threads()} threads on {usable_cores()} usable cores")


def _memory() -> Iterator[Check]:
    from reasoner.models.catalog import registry
    from reasoner.settings import Settings

    name = Settings.load().model
    spec = registry().get(name)
    size = spec.size if spec is not None else None
    total, available = _memory_sizes()
    if not total:
        yield Check("memory", "warn", "cannot tell how much memory there is")
        return
    detail = f"{total / GIGABYTE:.1f} GB, {available / GIGABYTE:.1f} GB of it available"
    need = int((size or 0) * HEADROOM)
    if size:
        detail += f"; {name} takes about {need / GIGABYTE:.1f} GB"
    level: Level = "fail" if need > total else "warn" if need > available else "ok"
    yield Check("memory", level, detail, "" if level == "ok" else "choose a smaller model with -m")


def _memory_sizes() -> tuple[int, int]:
    """(total, available) bytes, within the container's limit; zeros where unknown."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 0, 0
    available = total
    meminfo, cgroup = Path("/proc/meminfo"), Path("/sys/fs/cgroup/memory.max")
    if meminfo.exists():
        fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        available = int(fields["MemAvailable"].split()[0]) * 1024
    if cgroup.exists() and (limit := cgroup.read_text().strip()).isdigit():
        used = int(cgroup.with_name("memory.current").read_text())
        total, available = min(total, int(limit)), min(available, int(limit) - used)
    return total, max(0, available)


def _directories() -> Iterator[Check]:
    from reasoner.settings import directories

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
    """Whether the directory, or the nearest one above it that exists, takes files."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)


def _models() -> Iterator[Check]:
    from reasoner.models.here import find_models
    from reasoner.settings import Settings

    wanted = Settings.load().model
    cached = sorted(item.name for item in find_models())
    listed = ", ".join(cached) or "none yet"
    if wanted in cached or Path(wanted).exists():
        yield Check("models", "ok", f"{listed} (default {wanted})")
    else:
        hint = f"the first question fetches it; or: reasoner models pull {wanted}"
        yield Check("models", "warn", f"{listed}; the default {wanted} is not here", hint)


def _plugins() -> Iterator[Check]:
    from reasoner.settings import Settings
    from reasoner.verify.host import Verifiers

    with Verifiers(unsafe_exec=Settings.load().unsafe_exec) as verifiers:
        for info in verifiers.describe(health=True):
            report = info.health or {}
            if not info.enabled:
                hint = f"reasoner plugins enable {info.name}"
                yield Check(f"plugin {info.name}", "ok", f"off ({info.origin})", hint)
                continue
            if info.error:
                hint = f"repair it, or: reasoner plugins disable {info.name}"
                yield Check(f"plugin {info.name}", "warn", info.error, hint)
                continue
            good = report.get("ok") is not False
            detail = f"{info.version or '?'}: {report.get('detail', '')}"
            hint = "" if good else _advice(report)
            yield Check(f"plugin {info.name}", "ok" if good else "warn", detail, hint)


def _advice(report: dict[str, Any]) -> str:
    """What a sick plugin says about it: the better ways it tried and why they failed."""
    tried = report.get("passed_over")
    if not isinstance(tried, dict) or not tried:
        return LEFT_OUT
    return "; ".join(f"{name}: {reason}" for name, reason in tried.items())
