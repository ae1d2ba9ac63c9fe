"""``har-stream doctor``: what is wrong with the phones at a broker, and what to change in which app."""
