"""The live console: a snapshot of the listener's state, a view of it that keys change, and pure drawing."""
