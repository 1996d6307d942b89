"""The lab whose hosts are namespace trees of this machine: no image, no emulation, one kernel and one clock for all."""
