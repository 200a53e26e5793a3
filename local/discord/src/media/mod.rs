//! The bytes of uploaded files: real headers, with zeros for the media data.
//!
//! A file is never built as a whole, so reading a range of a large file is cheap.

mod layout;
mod mp4;
mod webm;

use std::ops::Range;

use crate::file::{File, extension};
use layout::Layout;

/// The size of a file: the requested size, or more if its headers need it.
pub(crate) fn size_bytes(file: &File) -> u64 {
    let layout = layout(file);
    layout.head.len() as u64 + layout.n_zeros + layout.tail.len() as u64
}

/// The bytes of a range, which must lie within the file.
pub(crate) fn read(file: &File, range: Range<u64>) -> Vec<u8> {
    let layout = layout(file);
    let zeros_at = layout.head.len() as u64;
    let tail_at = zeros_at + layout.n_zeros;
    let tail_end = tail_at + layout.tail.len() as u64;

    let overlap = |from: u64, to: u64| {
        let begin = range.start.clamp(from, to);
        let end = range.end.clamp(begin, to);
        (begin - from) as usize..(end - from) as usize
    };
    let mut bytes = layout.head[overlap(0, zeros_at)].to_vec();
    bytes.resize(bytes.len() + overlap(zeros_at, tail_at).len(), 0);
    bytes.extend_from_slice(&layout.tail[overlap(tail_at, tail_end)]);
    bytes
}

fn layout(file: &File) -> Layout {
    if let Some(content) = &file.content {
        return Layout {
            head: content.to_vec(),
            n_zeros: 0,
            tail: Vec::new(),
        };
    }
    match extension(&file.name).as_str() {
        "mp4" | "m4v" => mp4::layout(file, b"isom"),
        "mov" | "qt" => mp4::layout(file, b"qt  "),
        "webm" => webm::layout(file, "webm"),
        "mkv" => webm::layout(file, "matroska"),
        "avi" => plain(file, b"RIFF\0\0\0\0AVI LIST"),
        "png" => plain(file, b"\x89PNG\r\n\x1a\n"),
        "gif" => plain(file, b"GIF89a"),
        "ogg" => plain(file, b"OggS"),
        _ => plain(file, b""),
    }
}

/// The magic number of a format and nothing after it.
fn plain(file: &File, magic: &[u8]) -> Layout {
    Layout {
        head: magic.to_vec(),
        n_zeros: file.size_bytes.saturating_sub(magic.len() as u64),
        tail: Vec::new(),
    }
}
