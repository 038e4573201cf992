"""dlsteps: Deep Learning, Step by Step. The helpers that the lessons introduce first and import later.

Importing this package is instant: import what you need from its modules, e.g. `from dlsteps.game import Catch`.
"""

__version__ = "0.1.0"
