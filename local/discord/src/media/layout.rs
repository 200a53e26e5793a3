//! A file in three parts, so that its zeros are never stored.

/// A file as its first bytes, so many zeros, and its last bytes.
pub(super) struct Layout {
    pub(super) head: Vec<u8>,
    pub(super) n_zeros: u64,
    pub(super) tail: Vec<u8>,
}
