"""``python -m localep``."""

import sys

from localep.cli.app import main

sys.exit(main())
