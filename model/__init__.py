"""Recognition core: signal chain, windows, recordings, networks; no MQTT, no console."""
