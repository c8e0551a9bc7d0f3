"""How times are written: in full and with their zone, since operators compare them with logs."""
