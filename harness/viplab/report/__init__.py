"""Numbers -> pages. Pure: it reads a run folder and what analysis made of it."""
