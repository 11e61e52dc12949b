"""Benchmarks: what drawing costs, measured on the running app. Not tests; they report figures."""
