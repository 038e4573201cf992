import sys

from dlsteps.cli import main

if __name__ == "__main__":
    sys.exit(main())
