"""`python -m infra.embedded up | dev | down | migrate`."""

import signal
import sys

if __name__ == "__main__":
    # Until there is something to stop, an interrupt just ends this process, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from infra.embedded.command import main

    sys.exit(main())
