"""What a session and its interpreter tell each other without a message."""

import signal

# Makes a snapshot take the place of the interpreter that it was forked from.
WAKE = signal.SIGUSR1
# The exit code of an interpreter that has no memory left to go on with.
OUT_OF_MEMORY = 99
