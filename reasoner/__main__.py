"""`python -m reasoner`."""

from reasoner.cli.start import main

if __name__ == "__main__":
    main()
