"""What the listener publishes: states, events and availability of phones, for consumers and for Home Assistant."""
