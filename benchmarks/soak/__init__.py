"""A listener left running under load, and whether anything in it grows."""
