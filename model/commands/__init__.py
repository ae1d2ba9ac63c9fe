"""The commands of ``har-model``, one module a job; heavy imports wait until a command runs."""
