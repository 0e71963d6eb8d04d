"""`python -m reconciler`, and what the installed commands call."""

from reconciler.cli.main import main

if __name__ == "__main__":
    main()
