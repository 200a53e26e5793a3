//! Jobs other programs left in a stream.
