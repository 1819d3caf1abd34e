"""The library beside its peers, timed: `make bench` runs it, README.md explains it."""
