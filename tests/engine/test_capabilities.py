"""What an engine can do is known before anything is asked of it."""

from pathlib import Path

import pytest

from reasoner.engine.capabilities import require_capabilities
from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.remote.completions import CompletionsClient
from reasoner.engine.remote.engine import RemoteEngine
from reasoner.errors import BadModelFile, EngineError, UsageError
from reasoner.models.chat_templates import CHATML_TEMPLATE
from reasoner.policy.protocol_choice import choose_protocol


async def test_a_server_lacks_what_text_cannot_carry() -> None:
    server = CompletionsClient("http://127.0.0.1:1/v1", "peer", None, 1)
    engine = RemoteEngine(server, CHATML_TEMPLATE, "<|im_end|>", 1024, logprobs=False)
    require_capabilities(engine.capabilities)
    for name, error, text in (
        ("grammar", UsageError, "a grammar needs a model on this machine"),
        ("score", EngineError, "http://127.0.0.1:1/v1 tells no log-probabilities"),
        ("hidden_states", EngineError, "gives no hidden states"),
        ("whole_logits", EngineError, "tells no whole distributions"),
        ("constrain", EngineError, "cannot be held to a few tokens"),
    ):
        with pytest.raises(error, match=text):
            require_capabilities(engine.capabilities, name)  # type: ignore[arg-type]
    assert choose_protocol(engine, CHATML_TEMPLATE, None).name == "plain"
    with pytest.raises(BadModelFile, match="steiner"):
        choose_protocol(engine, CHATML_TEMPLATE, "steiner")
    await engine.close()


async def test_a_model_here_can_do_everything(tiny_gguf: Path) -> None:
    engine = await LocalEngine.open(tiny_gguf)
    require_capabilities(
        engine.capabilities,
        "constrain",
        "grammar",
        "score",
        "whole_logits",
        "hidden_states",
        "token_ids",
        "fork",
    )
    assert engine.same_vocabulary(engine)
    await engine.close()
