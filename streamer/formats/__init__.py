"""The formats that phones send in: each module decodes one of them to :class:`streamer.readings.PhoneMessage`, and
:mod:`streamer.formats.detect` tells them apart."""
