"""`python -m infra.backup backup | restore | dump | drill`."""

import sys

from infra.backup.command import main

if __name__ == "__main__":
    sys.exit(main())
