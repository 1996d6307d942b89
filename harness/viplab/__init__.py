"""viplab, the bench: it puts two guests, a VIP and a fault together and says, with packets as proof, what a client saw.

One way leads through the package: `scenario` -> `lab` + `subjects` -> `experiment` (`faults`, `observe`) -> the run
folder (`evidence`) -> `analysis` -> `report`. The run folder is the wall: what stands left of it needs root and guests,
what stands right of it is a pure function of files.
"""
