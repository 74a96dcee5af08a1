"""`reasoner plugins`, and plugins of the user's own, as a shell runs them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run

DOCUMENT = Path(__file__).parents[3] / "CONTRIBUTING.md"
NICE = """
from reasoner.types.verdict import Outcome, Verdict
from reasoner.plugin_host.hookspecs import hookimpl
print("loaded")
@hookimpl
def verify():
    return Verdict(verifier="nice", outcome=Outcome.PASS, reason="nice")
"""


def plugin(home: Path, name: str, text: str) -> Path:
    folder = home / "config" / "plugins"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(text)
    return path


def listed(home: Path) -> dict[str, dict[str, Any]]:
    found = json.loads(run(home, "plugins", "list", "--json").stdout)
    return {info["name"]: info for info in found}


@pytest.mark.slow
def test_the_documented_example_works_as_documented(tmp_path: Path) -> None:
    (example,) = re.findall(r"(?s)```python\n(.*?)```", DOCUMENT.read_text())
    assert len(example.splitlines()) <= 25
    plugin(tmp_path, "weekday", example)
    assert run(tmp_path, "plugins", "enable", "weekday").returncode == 0
    assert listed(tmp_path)["weekday"]["version"] == "1.0"
    for text, code in (("a Thursday", 0), ("a Friday", 3)):
        done = run(tmp_path, "verify", f"2024-02-29 was {text}")
        assert done.returncode == code, done.stdout
        assert b"weekday" in done.stdout
    broken = run(tmp_path, "verify", "2024-02-31 was a Friday")
    assert broken.returncode == 4
    assert b"error    weekday         the plugin failed: ValueError" in broken.stdout


@pytest.mark.slow
def test_a_file_runs_only_after_it_was_enabled_by_name(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    path = plugin(tmp_path, "nice", f"open({str(trace)!r}, 'w')\n{NICE}")
    info = listed(tmp_path)["nice"]
    assert (info["enabled"], info["origin"], info["hooks"]) == (False, str(path), [])
    run(tmp_path, "verify", "1", "--expect", "1")
    assert not trace.exists()
    assert run(tmp_path, "plugins", "enable", "nice").returncode == 0
    assert trace.exists()
    info = listed(tmp_path)["nice"]
    assert (info["enabled"], info["hooks"], info["error"]) == (True, ["verify"], None)
    done = run(tmp_path, "verify", "1")
    assert done.returncode == 0
    assert b"pass     nice            nice" in done.stdout
    assert b"loaded" not in done.stdout
    run(tmp_path, "plugins", "disable", "nice")
    assert run(tmp_path, "verify", "1").returncode == 4


@pytest.mark.slow
def test_installed_plugins_can_be_disabled_too(tmp_path: Path) -> None:
    assert listed(tmp_path)["sympy_check"]["enabled"] is True
    run(tmp_path, "plugins", "disable", "sympy_check")
    assert listed(tmp_path)["sympy_check"]["enabled"] is False
    assert run(tmp_path, "verify", "1", "--expect", "2").returncode == 4
    assert b"off" in run(tmp_path, "doctor").stdout
    run(tmp_path, "plugins", "enable", "sympy_check")
    assert run(tmp_path, "verify", "1", "--expect", "2").returncode == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1/0", "ZeroDivisionError"),
        ("def (", "SyntaxError"),
        ("import sys; sys.exit(3)", "SystemExit"),
        ("raise BaseException('odd')", "odd"),
        ("x = 1", "no function marked @hookimpl"),
        (NICE.replace("verify()", "verify(nonsense)"), "nonsense"),
    ],
)
def test_a_broken_file_is_named_and_the_rest_works(tmp_path: Path, text: str, said: str) -> None:
    plugin(tmp_path, "bad", text)
    enabled = run(tmp_path, "plugins", "enable", "bad")
    assert enabled.returncode == 1
    assert said in enabled.stderr.decode()
    assert said in listed(tmp_path)["bad"]["error"]
    done = run(tmp_path, "verify", "1", "--expect", "1")
    assert done.returncode == 0
    assert b"plugin 'bad' left out" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_odd_files_and_names_are_survived(tmp_path: Path) -> None:
    before = listed(tmp_path)
    plugin(tmp_path, "not-a-name", "1/0")
    plugin(tmp_path, "sympy_check", "1/0")
    (tmp_path / "config" / "plugins" / "folder.py").mkdir()
    assert listed(tmp_path) == before
    unknown = run(tmp_path, "plugins", "enable", "sympy_chek")
    assert unknown.returncode == 2
    assert b"did you mean sympy_check" in unknown.stderr
    (tmp_path / "config" / "plugins.toml").write_text("= broken")
    done = run(tmp_path, "plugins", "list")
    assert done.returncode == 2
    assert b"plugins.toml" in done.stderr


@pytest.mark.slow
def test_the_list_is_for_people_too(tmp_path: Path) -> None:
    lines = run(tmp_path, "plugins", "list", NO_COLOR="1").stdout.decode().splitlines()
    assert [line.split()[:3] for line in lines] == [
        [info["name"], info["version"], "on"] for info in listed(tmp_path).values()
    ]
