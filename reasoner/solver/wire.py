"""What `reasoner serve` and its client agree on beside OpenAI's chat completions."""

__all__ = ["CLIENT_SETTINGS", "COMPLETION_ID_HEADER"]

COMPLETION_ID_HEADER = "x-completion-id"
"""The header of a streamed reply with the id by which the completion can be cancelled."""
CLIENT_SETTINGS = (
    "effort",
    "strategy",
    "strategy_options",
    "search_budget",
    "until_verified",
    "min_steps",
    "max_steps",
    "budget",
    "max_tokens",
    "seconds",
    "stop",
    "think",
    "decide",
    "template_args",
    "seed",
    "temperature",
    "sampling",
    "verify",
    "tools",
    "cache",
)
"""The settings a client may set; the others, on what is loaded and what is safe, are the
server's."""
