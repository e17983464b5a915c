"""`python -m pasapas` does what `pasapas` does."""

import sys

from pasapas.cli import main

sys.exit(main())
