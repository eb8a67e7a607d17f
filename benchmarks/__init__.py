"""What calsync costs beside its peers and beside the floor: `make bench`. The daemon in the long run: `make soak`."""
