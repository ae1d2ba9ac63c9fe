"""The model that never stops listening: a causal network whose state runs on with a phone's stream."""
