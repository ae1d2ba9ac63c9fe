"""From the windows of many phones to predictions: by a model of windows, or by one that follows each stream."""
