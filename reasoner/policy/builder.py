"""Builds the policy of one question from a model, its registry entry and the settings."""

from reasoner.engine.capabilities import require_capabilities
from reasoner.engine.interface import Engine
from reasoner.engine.sampling import Sampling
from reasoner.open_model import OpenModel
from reasoner.plugin_host.host import PluginHost
from reasoner.policy.budget import Budget
from reasoner.policy.policy import Policy
from reasoner.policy.prompt_builder import PromptOptions
from reasoner.policy.tool_calling import ToolCallConfig
from reasoner.policy.tool_style import choose_tool_style
from reasoner.protocol.fenced_calls import FencedStyle
from reasoner.protocol.protocol import StepProtocol
from reasoner.settings import Limits, Settings

__all__ = ["build_policy"]

VARIED_TEMPERATURE = 0.8
MIN_VARIED_TEMPERATURE = 0.5
"""Searches need steps that differ: a model's own temperature below this becomes the other."""
MAX_SEARCH_ANSWER_TOKENS = 1024
"""Tokens that a trajectory of a search may generate beyond its reasoning budget."""


def build_policy(
    model: OpenModel,
    protocol: StepProtocol,
    settings: Settings,
    budget: Budget,
    *,
    varied: bool,
    plugins: PluginHost | None = None,
) -> Policy:
    """Return the policy of one question.

    With `varied` sampling is never greedy, and no trajectory may be of unbounded length. Tools of
    `plugins` may be called where the settings allow it. Raises UsageError for sampling options
    that do not exist, and for a grammar that the engine cannot follow; EngineError when step
    decisions are requested of an engine without log-probabilities.
    """
    spec = model.spec
    model_options = dict(spec.sampling) if spec else {}
    varied_options = dict(model_options)
    if model_options.get("temperature", VARIED_TEMPERATURE) < MIN_VARIED_TEMPERATURE:
        varied_options["temperature"] = VARIED_TEMPERATURE
    flag = {} if settings.temperature is None else {"temperature": settings.temperature}
    resampling = Sampling.parse(varied_options, settings.sampling, flag)
    first = Sampling.parse(model_options, settings.sampling, flag)
    if first.grammar is not None:
        require_capabilities(model.engine.capabilities, "grammar")
    if settings.decide and protocol.decision_phrases:
        require_capabilities(model.engine.capabilities, "score")
    return Policy(
        model.engine,
        protocol,
        sampling=resampling if varied else first,
        varied_sampling=resampling,
        limits=_bounded(settings.limits) if varied else settings.limits,
        budget=budget,
        seed=settings.seed,
        prompt_options=_prompt_options(model, settings),
        tool_calls=_calling(model, protocol, settings, plugins),
    )


def _prompt_options(model: OpenModel, settings: Settings) -> PromptOptions:
    return PromptOptions(
        merge_system=bool(model.spec and model.spec.no_system),
        effort=settings.effort,
        budget=settings.limits.budget,
        arguments=settings.template_args,
    )


def _calling(
    model: OpenModel, protocol: StepProtocol, settings: Settings, plugins: PluginHost | None
) -> ToolCallConfig | None:
    """Return how the policy may call the plugins' tools, None when it may not."""
    tools = () if settings.tools == "off" or plugins is None else plugins.tools()
    if not tools or plugins is None:
        return None
    engine = model.engine
    template = engine.chat_template or ""
    style = choose_tool_style(
        tools,
        template,
        settings.tool_style or (model.spec.tool_style if model.spec else None),
        lambda prompt: protocol.reply_prefix(prompt, True),
        {
            "bos_token": _token_text(engine, engine.bos),
            "eos_token": _token_text(engine, engine.eos),
            **_prompt_options(model, settings).variables(template, think=True),
        },
    )
    return ToolCallConfig(
        style,
        plugins.call_tool,
        force_first_call=settings.tools == "force",
        fallback=FencedStyle(tools),
    )


def _token_text(engine: Engine, token: int | None) -> str:
    return "" if token is None else engine.detokenize([token], special=True)


def _bounded(limits: Limits) -> Limits:
    """Return limits under which no trajectory of a search is generated without end."""
    if limits.max_tokens is not None or limits.budget is None:
        return limits
    return limits.model_copy(update={"max_tokens": limits.budget + MAX_SEARCH_ANSWER_TOKENS})
