"""Many MQTT packets at once, where paho handles one at a time."""
