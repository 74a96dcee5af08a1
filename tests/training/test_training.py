"""From a data file to a GGUF: learnt, cut off, gone on with, and the same in llama.cpp."""

import json
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from reasoner.datagen.puzzles.puzzle import MAX_INTERMEDIATE_NUMBER
from reasoner.datagen.puzzles.record import KINDS
from reasoner.datagen.puzzles.stream import PathDataRecipe
from reasoner.engine.local.engine import LocalEngine
from reasoner.errors import UsageError
from reasoner.settings import EngineSettings
from reasoner.training.encoder import Encoder
from reasoner.training.expert import write_corrected_paths
from reasoner.training.fit import create_model, train_model
from reasoner.training.grpo import GrpoSettings, attempt_rewards, group_advantages, run_grpo_round
from reasoner.training.labels import LabelledReply, write_labelled_replies
from reasoner.training.policy import train_by_reward, train_on_data
from reasoner.training.prm import train_prm
from reasoner.training.run import TrainingPlan, TrainingRun
from reasoner.training.sampler import ReplySampler, ReplySampling
from reasoner.training.samples import TrainingRows, encode_record, parse_path_record, row_batches
from reasoner.training.trials import attempt_puzzles
from tests.cli.command import run as command
from tests.datagen.puzzles.test_stream import grammar

pytestmark = pytest.mark.slow

PLAN = TrainingPlan(width=64, steps=8, warm_up=3, batch=512, max_row_tokens=256, seed=3)


class Killed(Exception):
    pass


def kill(_step: int, _loss: float, _speed: float) -> None:
    raise Killed


def quiet(_step: int, _loss: float, _speed: float) -> None:
    pass


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    folder = tmp_path_factory.mktemp("run")
    train_on_data(folder, [data], PLAN, lambda _line: None)
    return TrainingRun(folder)


@pytest.fixture(scope="module")
def encoder(trained: TrainingRun) -> Iterator[Encoder]:
    with Encoder(trained.folder / "policy.gguf") as found:
        yield found


def test_numbers_and_words_are_one_token_each(encoder: Encoder) -> None:
    for number in range(MAX_INTERMEDIATE_NUMBER + 1):
        assert len(encoder.encode(str(number))) == 1
        assert len(encoder.encode(f"= {number}")) == 2
        assert len(encoder.encode(f"({number}")) == 2
    for text in ("63 - 35 = 28, left 63 35", "Größe 123456 naïve ✓\n", "<|reasoning_start|>"):
        assert encoder.decode(encoder.encode(text)) == text
    assert len(encoder.encode("within reach")) == 2


def test_only_what_is_true_and_drawn_is_learnt(data: Path, encoder: Encoder) -> None:
    records = [parse_path_record(data, line) for line in data.read_text("utf-8").splitlines()]
    wrong = next(r for r in records if any(not step.right for step in r.steps))
    row = encode_record(wrong, encoder)
    learnt = [int(t) for t, w in zip(row.tokens, row.weights, strict=True) if w > 0]
    names = {encoder.decode([token]) for token in learnt}
    assert "<|reasoning_step_start|>" not in names
    assert "<|reasoning_step_name_start|>" not in names
    assert "<|reasoning_backtrack|>" in names
    assert "<|im_end|>" in names
    at = next(i for i, step in enumerate(wrong.steps) if not step.right)
    thought = wrong.reply.split("_thought_start|>")[at + 1].split("<|")[0]
    mark = " =" if " =" in thought.split(" :")[0] else " :"
    choice = encoder.encode(thought.split(mark)[0])
    tokens = row.tokens.tolist()
    start = [
        i for i, t in enumerate(tokens) if t == encoder.control_ids["reasoning_step_thought_start"]
    ]
    first = start[at] + 1
    assert tokens[first : first + len(choice)] == choice
    assert not row.weights[first : first + len(choice)].any()
    assert row.weights[first + len(choice)] == 1


def test_batches_hold_every_row_once_and_little_else(data: Path, encoder: Encoder) -> None:
    rows = TrainingRows([data], encoder, max_row_tokens=300)
    seen = 0
    for batch in row_batches(rows, 1024, seed=0):
        seen += len(batch.tokens)
        assert batch.tokens.size <= 1400 or len(batch.tokens) == 1
        if seen >= len(rows):
            break
    assert seen == len(rows)
    first, second = (list(islice(row_batches(rows, 1024, seed=5), 4)) for _ in range(2))
    assert all(np.array_equal(a.tokens, b.tokens) for a, b in zip(first, second, strict=True))


def test_a_run_that_was_cut_off_ends_the_same(
    trained: TrainingRun, data: Path, encoder: Encoder, tmp_path: Path
) -> None:
    for name in ("run.json", "policy.gguf"):
        (tmp_path / name).write_bytes((trained.folder / name).read_bytes())
    cut = TrainingRun(tmp_path)
    rows = TrainingRows([data], encoder, PLAN.max_row_tokens)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reasoner.training.fit.SAVE_INTERVAL_SECONDS", 0.0)
        patch.setattr("reasoner.training.fit.REPORT_INTERVAL_STEPS", 5)  # within the second stage
        with pytest.raises(Killed):
            train_model(cut, rows, PLAN, kill)
    stopped, whole = cut.load_checkpoint(), trained.load_checkpoint()
    assert stopped is not None
    assert whole is not None
    assert stopped["step"] == 4  # the fifth was not saved any more
    weights = train_model(cut, rows, PLAN, quiet).state_dict()
    for key, value in whole["model"].items():
        assert torch.allclose(weights[key], value, atol=1e-5), key


def test_the_loss_falls(trained: TrainingRun, data: Path, encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes((trained.folder / "run.json").read_bytes())
    losses: list[float] = []
    plan = PLAN.model_copy(update={"steps": 40})
    train_model(
        TrainingRun(tmp_path),
        TrainingRows([data], encoder, 256),
        plan,
        lambda _s, loss, _v: losses.append(loss),
    )
    assert losses[-1] < losses[0] - 1
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in logged] == [20, 40]


async def test_llama_cpp_computes_what_pytorch_does(
    trained: TrainingRun, data: Path, encoder: Encoder, tmp_path: Path
) -> None:
    model = create_model(trained, trained.load_checkpoint()).eval()
    path = trained.export_gguf(tmp_path / "exact.gguf", model.state_dict(), "f16")
    tokens = [int(token) for token in TrainingRows([data], encoder, max_row_tokens=256)[0].tokens]
    targets = tokens[1:]
    with torch.no_grad():
        logits = model.logits(model(torch.tensor([tokens[:-1]])))[0]
    ours = torch.log_softmax(logits, -1)[torch.arange(len(targets)), torch.tensor(targets)]
    settings = EngineSettings(context=1024, gpu_layers=0, flash_attention="off")
    engine = await LocalEngine.open(path, settings, lambda _notice: None)
    try:
        places = list(range(len(targets)))
        theirs = await engine.token_logprobs(tokens[:-1], places, [[target] for target in targets])
    finally:
        await engine.close()
    assert np.abs(ours.numpy() - np.array(theirs)[:, 0]).max() < 0.05


@pytest.mark.parametrize("backtrack", [True, False])
def test_replies_keep_the_grammar_and_the_limit(
    trained: TrainingRun, encoder: Encoder, backtrack: bool
) -> None:
    model = create_model(trained, None)  # noise, so that every choice is made
    prompts = [encoder.encode_prompt(f"Use {n} 7 8 to make 24") for n in range(1, 9)]
    how = ReplySampling(temperature=1.0, max_steps=3, max_tokens=900, backtrack=backtrack)
    replies = ReplySampler(model, encoder).sample_replies(prompts, how)
    whole = [r for r in replies if r[-1] == encoder.control_ids["im_end"]]
    for reply in replies:
        text = encoder.decode(reply)
        assert text.count("<|reasoning_step_end|>") <= 3
        assert backtrack or "<|reasoning_backtrack|>" not in text
    for reply in whole:
        assert grammar().match(encoder.decode(reply[:-1]))


def test_greedy_replies_are_what_the_whole_model_would_write(
    trained: TrainingRun, encoder: Encoder
) -> None:
    model = create_model(trained, trained.load_checkpoint()).to(torch.bfloat16)
    prompt = encoder.encode_prompt("Use 4 7 8 to make 24")
    (reply,) = ReplySampler(model, encoder).sample_replies([prompt], ReplySampling(max_tokens=40))
    with torch.no_grad():
        logits = model.logits(model(torch.tensor([prompt + reply])))[0].float()
    best = logits.argmax(-1)[len(prompt) - 1 : -1].tolist()
    free = [
        (wanted, got)
        for wanted, got in zip(best, reply, strict=True)
        if wanted not in encoder.control_ids.values() and got not in encoder.control_ids.values()
    ]
    assert sum(a == b for a, b in free) >= 0.9 * len(free)


def test_advantages_are_normalised_sums_to_the_end() -> None:
    good, bad = group_advantages([[0.3, 0.7], [-0.1, -0.1]])
    assert good[0] > good[1] > 0 > bad[1] > bad[0]
    assert math.isclose(good[0] + bad[0], 0.0, abs_tol=1e-9)
    assert group_advantages([[0.2], [0.2]]) == [[0.0], [0.0]]


def test_reinforcement_follows_the_rewards(trained: TrainingRun, encoder: Encoder) -> None:
    torch.manual_seed(0)
    model, origin = (create_model(trained, trained.load_checkpoint()) for _ in range(2))
    tasks = [KINDS["countdown3"](Random(seed)) for seed in range(2)]
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    how = GrpoSettings(problems=2, group=3, epochs=1)
    made = run_grpo_round(model, origin, optimiser, encoder, tasks, how, seed=1)
    assert 0.0 <= made.solved <= 1.0
    changed = [not torch.equal(a, b) for a, b in zip(*map(_weights, (model, origin)), strict=True)]
    assert any(changed)
    trial = attempt_puzzles(model, encoder, tasks[:1], ReplySampling(max_tokens=60))[0]
    assert len(attempt_rewards(trial, 0)) == max(1, trial.parsed_reply.steps)


def _weights(model: torch.nn.Module) -> list[torch.Tensor]:
    return list(model.state_dict().values())


def test_reinforcement_needs_a_policy(tmp_path: Path, trained: TrainingRun, data: Path) -> None:
    recipe = PathDataRecipe(mix={"countdown3": 1.0})
    (tmp_path / "policy.gguf").write_bytes((trained.folder / "policy.gguf").read_bytes())
    with pytest.raises(UsageError, match="no trained policy"):
        train_by_reward(tmp_path, recipe, frozenset(), 1, lambda _line: None)
    other = PLAN.model_copy(update={"width": 128})
    with pytest.raises(UsageError, match="width 64"):
        train_on_data(trained.folder, [data], other, lambda _line: None)


def test_the_command(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    small = ("--width", "64", "--steps", "2", "--batch", "256", "--threads", "1")
    done = command(tmp_path, "train", "policy", folder, "--data", data, *small)
    assert done.returncode == 0, done.stderr
    assert (folder / "policy.gguf").is_file()
    shown = command(tmp_path, "models", "show", folder / "policy.gguf")
    assert b"steiner" in shown.stdout + shown.stderr
    lacking = command(tmp_path, "train", "policy", tmp_path / "other")
    assert lacking.returncode == 2
    assert b"--data" in lacking.stderr
    assert lacking.stderr.count(b"\n") == 1


def test_own_paths_are_mended_and_gone_on_with(trained: TrainingRun, tmp_path: Path) -> None:
    recipe = PathDataRecipe(problems=3, paths=1, seed=9, mix={"countdown3": 1.0})
    out = tmp_path / "own.jsonl"
    told: list[int] = []

    def tell(done: int, _solved: float) -> None:
        told.append(done)

    assert write_corrected_paths(trained.folder, out, recipe, frozenset(), 1.0, tell) == 3
    assert write_corrected_paths(trained.folder, out, recipe, frozenset(), 1.0, tell) == 0
    assert told == [3]
    for line in out.read_text("utf-8").splitlines():
        record = parse_path_record(out, line)
        assert grammar().fullmatch(record.reply)
        assert record.steps[-1].right


def _until(tokens: tuple[int, ...], mark: int, count: int) -> tuple[int, ...]:
    """The tokens up to the mark that is the count-th."""
    places = [at for at, token in enumerate(tokens) if token == mark]
    return tokens[: places[count - 1] + 1]


def test_a_prm_learns_from_labels_and_can_be_asked(trained: TrainingRun, tmp_path: Path) -> None:
    """Labels of its own making, and a model that the program reads in the format `steiner-mini`."""
    recipe = PathDataRecipe(problems=2, paths=1, seed=9, mix={"countdown3": 1.0})
    drawn = tmp_path / "drawn.jsonl"
    write_labelled_replies(trained.folder, drawn, recipe, frozenset(), 2, lambda _done: None)
    own = [LabelledReply.model_validate_json(line) for line in drawn.read_text().splitlines()]
    assert len(own) == 2
    with Encoder(trained.folder / "policy.gguf") as encoder:
        end, answer = (
            encoder.control_ids["reasoning_step_end"],
            encoder.control_ids["reasoning_end"],
        )
    for line in own:
        for way in (line.reply, *line.others):
            assert len(way.values) == way.tokens.count(end) + (answer in way.tokens)
            assert all(0 <= value <= 1 for value in way.values)
        steps = line.reply.tokens.count(end)
        assert len(line.others) == 2 * steps
        for number, way in enumerate(line.others):
            kept = _until(line.reply.tokens, end, number // 2 + 1)
            assert way.tokens[: len(kept)] == kept
    out = tmp_path / "value.gguf"
    said: list[str] = []
    train_prm(trained.folder, drawn, out, 4, 1e-3, 0, said.append)
    assert len(said) == 4
    shown = command(tmp_path, "models", "show", out)
    assert b"steiner-mini" in shown.stdout + shown.stderr
    with drawn.open("a") as file:
        file.write('{"question": "cut o')
    with pytest.raises(UsageError, match="line 3 is no labelled reply"):
        train_prm(trained.folder, drawn, out, 4, 1e-3, 0, said.append)
