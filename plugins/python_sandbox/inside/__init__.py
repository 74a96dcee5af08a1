"""The code of the child process. It uses the standard library only and runs the program."""

__all__: list[str] = []
