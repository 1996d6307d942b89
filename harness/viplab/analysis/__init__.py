"""Evidence -> numbers -> verdicts. Pure: it reads a run folder and needs no root, no guest and no network."""
