"""Runs scenarios: set-up, observers, steps, waits, and everything that was seen into the run folder."""
