"""The experiment that makes phyphox send what :mod:`streamer.formats.phyphox` reads, and how it gets onto a phone."""
