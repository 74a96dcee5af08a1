"""`reasoner chat`: several questions to one model that stays loaded."""

from reasoner.cli.options.conversation import ConversationOptions
from reasoner.cli.options.run import RunOptions
from reasoner.cli.options.spread import spread_options
from reasoner.cli.options.view import ViewOptions

__all__ = ["chat"]


@spread_options
def chat(run: RunOptions, view: ViewOptions, conversation: ConversationOptions) -> None:
    """Talk with a model over several turns.

    Alt-Enter starts a new line, Ctrl-C stops the answer, Ctrl-D leaves, /help lists the commands.
    When stdin is no terminal, each line of it is a turn.
    """
    from reasoner.cli.chat.loop import run_chat  # loads the whole search

    run_chat(run, view, conversation)
