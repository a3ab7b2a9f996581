"""The signal that makes a snapshot take the place of the interpreter that it was forked from."""

import signal

WAKE = signal.SIGUSR1
