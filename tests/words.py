"""The words of reminders as they are without a config. Public face: `WORDS`."""

from calsync.texts import Texts
from calsync.wording import Wording

WORDS = Wording(Texts().say)
