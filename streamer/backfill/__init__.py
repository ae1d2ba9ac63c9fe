"""Whole archives at full speed, through the pipeline of the listener: captures, tables, recordings, data sets."""
