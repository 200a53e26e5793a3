//! The layout of a file as three parts, so that its zeros are never stored.

/// A file as its first bytes, a number of zeros, and its last bytes.
pub(super) struct Layout {
    pub(super) head: Vec<u8>,
    pub(super) n_zeros: u64,
    pub(super) tail: Vec<u8>,
}
