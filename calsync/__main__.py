"""`python -m calsync` is the `calsync` command."""

import sys

from calsync.cli import main

if __name__ == "__main__":
    sys.exit(main())
