"""Run the embedded server of a config until standard input ends, as a daemon will. Says "ready" when it answers."""

import os
import sys
from pathlib import Path

from calsync import config, opening

settings = config.load(Path(sys.argv[1]), os.environ, Path())
assert settings.caldav is not None
with opening.server(settings.caldav, os.environ):
    print("ready", flush=True)
    sys.stdin.read()
