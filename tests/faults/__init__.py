"""Generated faults and attacks: `make faults` runs them all, `make test` a share. Each area is a module here."""
