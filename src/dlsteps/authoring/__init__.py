"""Tools for authors and teachers; learners never import this."""
