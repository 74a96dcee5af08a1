"""The tokens with which the common model families begin a text and end a reply."""

__all__ = ["BEGIN_TOKEN_NAMES", "END_TOKEN_NAMES", "find_end_token"]

END_TOKEN_NAMES = (
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|return|>",
    "<|call|>",
    "<|end|>",
    "<|calls|>",
    "<|flush|>",
    "<end_of_turn>",
    "<turn|>",
    "<|END_OF_TURN_TOKEN|>",
    "<｜end▁of▁sentence｜>",
    "<seed:eos>",
    "<end_of_utterance>",
    "<|end_of_turn|>",
    "<|turn_end|>",
    "<|endofturn|>",
    "[|endofturn|]",
    "<|role_end|>",
    "<|eot|>",
    "<|EOT|>",
    "<EOT>",
    "[EOT]",
    "<|eos|>",
    "<eos>",
    "[EOS]",
    "</s>",
)
BEGIN_TOKEN_NAMES = (
    "<s>",
    "<bos>",
    "<|begin_of_text|>",
    "<|startoftext|>",
    "<｜begin▁of▁sentence｜>",
    "<seed:bos>",
    "[BOS]",
)


def find_end_token(template: str) -> str:
    """Return the name of the end-of-reply token that a chat template writes.

    `template` is Jinja source. Of several known ones it is the first in END_TOKEN_NAMES; there
    `<|end|>`, which ends only a message where there is a `<|return|>`, comes after that. The result
    is `</s>` for a template that has no known end token.
    """
    return next((name for name in END_TOKEN_NAMES if name in template), "</s>")
