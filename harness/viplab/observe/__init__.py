"""What is seen, from the host: captures, the 1 Hz ping, the probe, the owner census, the neighbour table.

Every observer is a context manager that is known to observe when its block is entered, and writes what it saw to the
timeline or to files of the trial's folder. None of them judges.
"""
