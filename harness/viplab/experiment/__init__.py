"""Runs one scenario on a lab with a subject: set-up, observers, steps, waits, and everything into the trial's folder."""
