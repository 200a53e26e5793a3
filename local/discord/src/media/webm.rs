//! WebM and Matroska: an EBML header, `Info` with the duration, one video track, and a
//! Void element where the clusters would be.

use super::layout::Layout;
use crate::file::File;

pub(super) fn layout(file: &File, doc_type: &str) -> Layout {
    let header = element(
        &[0x1a, 0x45, 0xdf, 0xa3],
        &[
            element(&[0x42, 0x86], &[1]),
            element(&[0x42, 0xf7], &[1]),
            element(&[0x42, 0xf2], &[4]),
            element(&[0x42, 0xf3], &[8]),
            element(&[0x42, 0x82], doc_type.as_bytes()),
            element(&[0x42, 0x87], &[4]),
            element(&[0x42, 0x85], &[2]),
        ]
        .concat(),
    );
    let described = [info(file), tracks(file)].concat();

    // The Void element and the segment have eight-byte sizes.
    let fixed = (header.len() + 12 + described.len() + 9) as u64;
    let n_zeros = file.size_bytes.saturating_sub(fixed);
    let segment_size = described.len() as u64 + 9 + n_zeros;
    let head = [
        header,
        vec![0x18, 0x53, 0x80, 0x67],
        size(segment_size),
        described,
        vec![0xec],
        size(n_zeros),
    ];
    Layout {
        head: head.concat(),
        n_zeros,
        tail: Vec::new(),
    }
}

fn info(file: &File) -> Vec<u8> {
    let mut fields = vec![
        // One tick is one millisecond.
        element(&[0x2a, 0xd7, 0xb1], &1_000_000_u32.to_be_bytes()),
        element(&[0x4d, 0x80], b"discord-local"),
        element(&[0x57, 0x41], b"discord-local"),
    ];
    if let Some(duration_ms) = file.duration_ms {
        let ticks = (duration_ms as f64).to_be_bytes();
        fields.push(element(&[0x44, 0x89], &ticks));
    }
    element(&[0x15, 0x49, 0xa9, 0x66], &fields.concat())
}

fn tracks(file: &File) -> Vec<u8> {
    let (width, height) = file.dimensions.unwrap_or_default();
    let video = [
        element(&[0xb0], &(width as u32).to_be_bytes()),
        element(&[0xba], &(height as u32).to_be_bytes()),
    ];
    let entry = [
        element(&[0xd7], &[1]),
        element(&[0x73, 0xc5], &[1]),
        element(&[0x83], &[1]),
        element(&[0x86], b"V_VP9"),
        element(&[0xe0], &video.concat()),
    ];
    element(
        &[0x16, 0x54, 0xae, 0x6b],
        &element(&[0xae], &entry.concat()),
    )
}

fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    [id, &size(body.len() as u64), body].concat()
}

/// An eight-byte size. Its first byte marks the length.
fn size(n_bytes: u64) -> Vec<u8> {
    let mut size = n_bytes.to_be_bytes();
    size[0] = 1;
    size.to_vec()
}
