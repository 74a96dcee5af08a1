"""Which texts are marks of structure: those that nobody may turn into a token by typing them.

Vocabularies list as user-defined tokens both marks, such as `<think>`, and ordinary text, such as
runs of blanks, words and HTML elements. Only marks are kept from becoming tokens.
"""

import re

__all__ = ["is_mark_text"]

HTML_PATTERN = re.compile(
    r"</?(?:a|b|blockquote|body|br|caption|code|dd|div|dl|dt|em|footer|h[1-6]|head|header|hr|html|i"
    r"|img|li|ol|p|pre|small|span|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|u|ul) ?/?>",
    re.IGNORECASE,
)


def is_mark_text(text: str, template: str = "") -> bool:
    """Whether the text of a user-defined token marks structure.

    It does if punctuation encloses a word, HTML elements excepted: `<think>`, `[/INST]`,
    `◁think▷`. So does any other text with a word and punctuation that the chat template, Jinja
    source, contains. A single character is never a mark.
    """
    text = text.strip()
    if len(text) < 2 or text.isalnum() or not any(map(str.isalnum, text)):
        return False
    is_enclosed = not (text[0].isalnum() or text[-1].isalnum())
    return (is_enclosed and not HTML_PATTERN.fullmatch(text)) or text in template
