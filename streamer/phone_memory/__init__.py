"""What is remembered of one phone, each bounded: how much it sends, what its owner did, its signals, its clock."""
