"""`reasoner ask`: one question, one answer, one exit code."""

from reasoner.cli.options.ask import AskOptions
from reasoner.cli.options.conversation import ConversationOptions
from reasoner.cli.options.run import RunOptions
from reasoner.cli.options.spread import spread_options
from reasoner.cli.options.view import ViewOptions

__all__ = ["ask"]


@spread_options
def ask(
    ask: AskOptions, run: RunOptions, view: ViewOptions, conversation: ConversationOptions
) -> None:
    """Answer a question and check the answer.

    The question is the argument, then the files, then stdin, with a blank line between them.
    stdout holds only the answer; thinking, progress and the verdict go to stderr.
    """
    from reasoner.cli.commands.ask_run import answer_question  # loads the whole search

    answer_question(ask, run, view, conversation)
