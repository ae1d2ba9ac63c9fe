"""Measurements that take minutes to hours: run by hand, results committed under docs."""
