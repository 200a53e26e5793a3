//! What is found in files that are damaged, cut off, or lie.

use std::time::Duration;

use integration::media::{look, look_at_damaged};
use shared::media::{Next, Problem};

use super::{fixture, fixtures, found};

/// The longest time of one walk, also on a machine that is busy.
const LONGEST: Duration = Duration::from_secs(5);

#[test]
fn damaged_files_neither_panic_nor_hang() {
    // `--bin look -- --damaged 40000` looks at more, and watches the memory.
    let longest = look_at_damaged(&fixtures(), 4000, 1);
    assert!(longest < LONGEST, "{longest:?}");
}

#[test]
fn files_cut_off_anywhere_neither_panic_nor_hang() {
    for (name, file) in fixtures() {
        for end in (0..file.len()).step_by(file.len() / 100) {
            let looked = look(&file[..end]);
            assert!(looked.reads <= 8, "{name}, cut at {end}");
        }
    }
}

fn problem(file: &[u8]) -> Problem {
    match look(file).result {
        Next::Failed(problem) => problem,
        other => panic!("{other:?}"),
    }
}

/// The file with the first `from` replaced.
fn with(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = file.windows(from.len()).position(|found| found == from);
    let at = at.unwrap();
    let mut file = file.to_vec();
    file.splice(at..at + from.len(), to.iter().copied());
    file
}

/// The file with the bytes after the first `word` replaced, `skip` bytes behind it.
fn patched(file: &[u8], word: &[u8], skip: usize, to: &[u8]) -> Vec<u8> {
    let at = file.windows(word.len()).position(|found| found == word);
    let at = at.unwrap() + word.len() + skip;
    let mut file = file.to_vec();
    file[at..at + to.len()].copy_from_slice(to);
    file
}

#[test]
fn a_file_of_another_kind_is_refused_after_one_read() {
    for file in [
        &b"RIFF\0\0\0\0AVI LIST"[..],
        b"GIF89a, and more",
        b"<html></html>",
        b"",
    ] {
        assert_eq!(problem(file), Problem::Unsupported);
        assert_eq!(look(file).reads, 1);
    }
}

#[test]
fn a_file_that_ends_before_its_index_is_incomplete() {
    let mp4 = fixture("moov-at-end.mp4");
    assert_eq!(problem(&mp4[..9000]), Problem::Incomplete);
    let webm = fixture("vp9.webm");
    assert_eq!(problem(&webm[..70]), Problem::Incomplete);
}

#[test]
fn a_file_without_a_picture_is_no_video() {
    let mp4 = with(&fixture("faststart.mp4"), b"vide", b"soun");
    assert_eq!(problem(&mp4), Problem::NoVideo);
}

#[test]
fn sizes_that_lead_nowhere_are_damage() {
    let mp4 = fixture("faststart.mp4");
    // A box of 4 bytes, which would never end.
    let trak = mp4.windows(4).position(|word| word == b"trak").unwrap();
    let mut endless = mp4.clone();
    endless[trak - 4..trak].copy_from_slice(&4_u32.to_be_bytes());
    let (facts, _) = found(&endless);
    assert_eq!((facts.duration, facts.width), (Some(2.0), None));
    // One that is longer than what contains it.
    let mut outside = mp4.clone();
    outside[trak - 4..trak].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(found(&outside).0.width, None);
}

#[test]
fn a_length_or_a_picture_that_cannot_be_true_is_unknown() {
    let mp4 = fixture("faststart.mp4");
    // The timescale and the duration in `mvhd`.
    let long = |timescale: u32, duration: u32| {
        let numbers = [timescale.to_be_bytes(), duration.to_be_bytes()].concat();
        let (facts, _) = found(&patched(&mp4, b"mvhd", 12, &numbers));
        facts.duration
    };
    assert_eq!(long(1, 86_400), Some(86_400.0));
    // A year. The track's own length is not used to hide the lie of the file's.
    assert_ne!(long(1, 31_536_000), Some(31_536_000.0));
    assert_eq!(long(0, 1), Some(2.0));
    // The width in `tkhd`.
    let wide = patched(&mp4, b"tkhd", 76, &0xffff_0000_u32.to_be_bytes());
    assert_eq!(found(&wide).0.width, None);
    // The duration of a WebM file, as no number and below zero.
    for lie in [f64::NAN, f64::INFINITY, -5.0, 0.0, 1e300] {
        let webm = patched(&fixture("vp9.webm"), &[0x44, 0x89], 1, &lie.to_be_bytes());
        let seconds = found(&webm).0.duration.unwrap();
        assert!((seconds - 2.0).abs() < 0.2, "{lie}: {seconds}");
    }
}
