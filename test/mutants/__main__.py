# SPDX-License-Identifier: Apache-2.0
"""``python -m test.mutants``; processes that are spawned cannot import what lies here."""

import sys

from test.mutants.runner import main

if __name__ == "__main__":
    sys.exit(main())
