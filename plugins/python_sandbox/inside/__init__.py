"""What runs inside the jail. Standard library only: the process belongs to the program next."""

__all__: list[str] = []
