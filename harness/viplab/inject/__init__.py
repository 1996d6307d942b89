"""The hands that do a fault and undo it, for each way of injection that the table of faults knows.

A fault inside a guest is armed beforehand (its shell is started and waits), so that letting it go takes milliseconds,
and it sends a marker datagram the moment before it acts. No kind of fault is named here: that is `viplab.faults`.
"""
