"""Start the command line: the command `lienthong`, or `python -m gateway`."""

from typing import NoReturn

from gateway.cli.app import run


def main() -> NoReturn:
    """Run the process's own arguments; always ends in SystemExit."""
    run()


if __name__ == "__main__":
    main()
