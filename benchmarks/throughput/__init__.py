"""How many phones the listener carries, what each stage costs, and how near that is to the machine's own limits."""
