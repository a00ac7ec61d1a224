"""python -m takt.cli"""

import sys

from takt.cli import main

sys.exit(main())
