"""Several processes recognise: each phone is always the same one's, and one account is kept of all."""
