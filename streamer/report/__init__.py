"""``har-stream report``: what a recorded session adds up to, as text, as a page, as JSON."""
