"""Several machines: a NATS cluster that gives each phone to one partition, and workers that serve partitions."""
