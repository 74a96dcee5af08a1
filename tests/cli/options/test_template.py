"""`--chat-template` and `--template-arg`, on a file that comes without a template."""

from pathlib import Path

import pytest

from reasoner.cli.options.run import RunOptions
from reasoner.errors import UnknownName, UsageError
from reasoner.models.chat_templates import CHATML_TEMPLATE
from reasoner.settings import Settings
from tests.cli.command import run
from tests.scripted_gguf import write_scripted_gguf

ECHO = (
    "{% for m in messages %}{{ m.content }}{% endfor %}"
    "{% if style != 'plain' %}{{ raise_exception('the style is ' ~ style) }}{% endif %}"
)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without a chat template."""
    path = tmp_path_factory.mktemp("models") / "bare.gguf"
    return write_scripted_gguf(path, ["It is Rome.", "<|im_end|>"], chat_template=None)


@pytest.mark.slow
def test_a_file_without_template_runs_with_a_named_one(bare: Path, tmp_path: Path) -> None:
    without = run(tmp_path, "ask", "-m", bare, "Which city?")
    assert without.returncode == 1
    assert without.stderr.count(b"\n") == 1
    assert b"--chat-template chatml" in without.stderr
    named = run(tmp_path, "ask", "-m", bare, "--chat-template", "chatml", "Which city?")
    assert (named.returncode, named.stdout) == (0, b"It is Rome.\n")


@pytest.mark.slow
def test_arguments_reach_a_template_from_a_file(bare: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.jinja"
    file.write_text(ECHO)
    asked = ("ask", "-m", bare, "--chat-template", file, "Which city?")
    plain = run(tmp_path, *asked, "--template-arg", "style=plain")
    assert (plain.returncode, plain.stdout) == (0, b"It is Rome.\n")
    other = run(tmp_path, *asked, "--template-arg", 'style=["bold", 3]')
    assert other.returncode == 1
    assert b"the model's chat template fails: the style is ['bold', 3]" in other.stderr


@pytest.mark.slow
def test_the_registry_names_a_template_for_a_local_file(bare: Path, tmp_path: Path) -> None:
    entries = tmp_path / "config" / "models.toml"
    entries.parent.mkdir()
    entries.write_text(f'[bare]\npath = "{bare}"\nchat_template = "vicuna"\n')
    done = run(tmp_path, "ask", "-m", "bare", "Which city?")
    assert (done.returncode, done.stdout) == (0, b"It is Rome.\n")
    entries.write_text(f'[bare]\npath = "{bare}"\nchat_template = "vicunia"\n')
    done = run(tmp_path, "ask", "-m", "bare", "Which city?")
    assert done.returncode == 2
    assert b"bare: chat_template: no chat template named 'vicunia'; did you mean vicuna?" in (
        done.stderr
    )


def test_options_become_settings(tmp_path: Path) -> None:
    options = RunOptions(
        chat_template="chatml", template_arg=["enable_thinking=false", "a=x y", "n=3"]
    )
    settings = Settings.load(**options.flags())
    assert settings.chat_template == CHATML_TEMPLATE
    assert settings.template_args == {"enable_thinking": False, "a": "x y", "n": 3}
    assert settings.think is False


@pytest.mark.parametrize("content", [b"no template", b"{{ \xff }}", b"{{ x }}" + b" " * 2**20])
def test_a_file_that_is_no_template(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "own.jinja"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"own\.jinja"):
        RunOptions(chat_template=str(file)).flags()


def test_a_template_that_does_not_exist() -> None:
    with pytest.raises(UnknownName, match="did you mean gemma"):
        RunOptions(chat_template="gema").flags()
    with pytest.raises(UsageError, match="--template-arg takes key=value"):
        RunOptions(template_arg=["thinking"]).flags()
