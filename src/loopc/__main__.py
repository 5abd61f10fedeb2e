"""`python -m loopc`."""

from loopc.cli.main import main

if __name__ == "__main__":
    main()
