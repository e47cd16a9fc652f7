"""`python -m cnnstudio`: the same as the command `cnnstudio`."""

from cnnstudio.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
