"""What a listener keeps across restarts: a journal of messages, and now and then where everything stands."""
