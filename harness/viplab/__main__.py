"""`python -m viplab` is `viplab`."""

from viplab.cli import main

main()
