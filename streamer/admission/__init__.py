"""Which messages are let in before anything is decoded, in which order, and which go when too many wait."""
