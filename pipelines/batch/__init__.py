"""One batch: which steps, in which order, over which stores."""
