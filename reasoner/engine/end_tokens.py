"""The tokens with which the common model families end a reply."""

__all__ = ["END_TOKEN_NAMES", "find_end_token"]

END_TOKEN_NAMES = (
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<|end|>",
    "<end_of_turn>",
    "<｜end▁of▁sentence｜>",
    "</s>",
)


def find_end_token(template: str) -> str:
    """Return the name of the end-of-reply token that a chat template writes.

    `template` is Jinja source. The result is `</s>` for a template that has no known end token.
    """
    return next((name for name in END_TOKEN_NAMES if name in template), "</s>")
