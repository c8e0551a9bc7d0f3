"""The format of times: in full and with their zone, since operators compare them with logs."""
