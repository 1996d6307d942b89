"""A run as it happens, in a terminal: it reads what the run writes (`timeline.jsonl`, `ping.txt`) and touches nothing.

`follow` reads growing files, `picture` is what they say, `screen` how that looks, `watch` the loop, in a process of its
own at the lowest priority. Nothing here may be imported by what measures.
"""
