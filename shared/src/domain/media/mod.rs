//! Looks inside a video file without downloading it: how long it is, how large its picture
//! is, and how it is encoded.
//!
//! A [`Walk`] reads only headers. It does no I/O: it asks for ranges of bytes
//! ([`Next::Read`]), and the caller gives them to it, from wherever the file is.
//!
//! | file | contents |
//! |---|---|
//! | `walk` | [`Walk`], and its limits |
//! | `view` | the bytes that were read so far |
//! | `facts` | [`Facts`], which the walk finds, and [`Problem`], which ends it |
//! | `boxes`, `iso`, `iso_track`, `fragments` | MP4 and QuickTime: boxes, files, tracks, fragmented files |
//! | `elements`, `ebml`, `clusters` | WebM and Matroska: elements, files, files without a duration |
//!
//! After each read the walk starts again at the beginning of the file, with all bytes that
//! were read so far. A walk is cheap, and its code therefore reads like one that has the
//! whole file.
//!
//! Strangers upload these files. Whatever a file says, a walk ends after a few reads, looks
//! at a bounded number of boxes, and never takes memory by a size that the file claims.

mod boxes;
mod clusters;
mod ebml;
mod elements;
mod facts;
mod fragments;
mod iso;
mod iso_track;
mod view;
mod walk;

pub use facts::{Facts, Problem};
pub use walk::{Limits, Next, Walk};
