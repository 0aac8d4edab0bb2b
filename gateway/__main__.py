"""Start the command line: the command `lienthong`, or `python -m gateway`."""

from gateway.cli.app import run


def main() -> None:
    """Run the process's own arguments; ends in SystemExit."""
    run()


if __name__ == "__main__":
    main()
