"""From a phone's messages, in whatever order, rate, unit and clock they come, to samples of the six raw channels."""
