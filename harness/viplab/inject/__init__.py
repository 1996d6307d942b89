"""What is done to a host, as data: for each kind of fault the shell command that does it, and what puts it right.

A fault inside a guest is armed beforehand (its shell is started and waits), so that letting it go takes milliseconds,
and it sends a marker datagram the moment before it acts.
"""
