"""Running as a service: metrics and health over HTTP, logs, systemd, what a bug report needs."""
