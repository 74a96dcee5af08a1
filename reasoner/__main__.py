"""`python -m reasoner`."""

from reasoner.cli.app import main

if __name__ == "__main__":
    main()
