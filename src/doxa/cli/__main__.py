"""`python -m doxa.cli` is the command `doxa`."""

from doxa.cli import main

main()
