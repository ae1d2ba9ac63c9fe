"""A load generator: many phones that send recordings in real time, for little CPU time a message."""
