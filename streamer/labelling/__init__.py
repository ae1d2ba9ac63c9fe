"""``har-stream label``: a person says what a phone's owner does, while the phone sends."""
