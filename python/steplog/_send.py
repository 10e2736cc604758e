"""``python -m steplog._send FOLDER``: sends a run that ``finish`` left to the background.

It tries until the server has everything, and gives up when that has not answered for a day; ``steplog sync`` then sends
the rest.
"""

from __future__ import annotations

import sys

from steplog._native import send_run

#: For how long the server may not answer, in seconds.
PATIENCE = 24 * 3600

if __name__ == "__main__":
    send_run(sys.argv[1], PATIENCE)
