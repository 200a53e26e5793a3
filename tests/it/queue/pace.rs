//! How many jobs begin, and run, over all drainers.
