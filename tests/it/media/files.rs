//! What is found in files that are well-formed, though unusual.

use serde_json::Value;
use shared::media::{Limits, Next, Walk};

use super::{fixture, fixtures, folder, found};

/// The length of one frame of the fixtures, which players round differently.
const FRAME: f64 = 0.1;

#[test]
fn real_files_hold_what_ffprobe_says() {
    let text = std::fs::read_to_string(folder().join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let files = fixtures();
    assert_eq!(files.len(), expected.as_object().unwrap().len());
    for (name, file) in files {
        let (facts, reads) = found(&file);
        let expected = &expected[&name];
        let seconds = expected["duration"].as_f64().unwrap();
        let near = (facts.duration.unwrap() - seconds).abs() < FRAME;
        assert!(near, "{name}: {:?} and {seconds}", facts.duration);
        assert_eq!(
            facts.width.map(u64::from),
            expected["width"].as_u64(),
            "{name}"
        );
        assert_eq!(
            facts.height.map(u64::from),
            expected["height"].as_u64(),
            "{name}"
        );
        assert_eq!(
            facts.rotation.map(u64::from),
            expected["rotation"].as_u64(),
            "{name}"
        );
        assert_eq!(facts.codec.as_deref(), expected["codec"].as_str(), "{name}");
        assert_eq!(reads, 1, "{name}");
    }
}

/// Makes the media data of an MP4 file larger. It holds no index of its own.
fn enlarged(file: &[u8], n_bytes: usize) -> Vec<u8> {
    let at = place(file, b"mdat");
    let size = u32::from_be_bytes(file[at - 4..at].try_into().unwrap());
    let mut file = file.to_vec();
    file[at - 4..at].copy_from_slice(&(size + n_bytes as u32).to_be_bytes());
    file.splice(at + 4..at + 4, std::iter::repeat_n(0, n_bytes));
    file
}

fn place(file: &[u8], word: &[u8; 4]) -> usize {
    file.windows(4).position(|found| found == word).unwrap()
}

#[test]
fn an_index_behind_the_media_takes_a_second_read() {
    let (facts, reads) = found(&enlarged(&fixture("moov-at-end.mp4"), 30_000_000));
    assert_eq!((facts.duration, facts.width), (Some(2.0), Some(64)));
    assert_eq!(reads, 2);
}

#[test]
fn a_fragmented_file_is_as_long_as_its_last_fragment_says() {
    let name = "fragmented-first-in-moov.mp4";
    let (facts, reads) = found(&enlarged(&fixture(name), 5_000_000));
    // The first fragment, which `moov` describes, lasts a second.
    let seconds = facts.duration.unwrap();
    assert!((seconds - 2.0).abs() < FRAME, "{seconds}");
    assert!(reads <= 4, "{reads} reads");
}

#[test]
fn an_index_of_one_fragment_is_not_taken_for_that_of_the_file() {
    // Every fragment of a DASH file has an index of its own.
    let (facts, _) = found(&fixture("dash.mp4"));
    assert!(facts.duration.unwrap() > 1.9);
}

/// A Matroska element with a size of eight bytes.
fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    let mut size = (content.len() as u64).to_be_bytes();
    size[0] = 1;
    [id, &size, content].concat()
}

/// A cluster that begins at 4 s, with a block of the first track 1.5 s later.
fn cluster(n_bytes: usize) -> Vec<u8> {
    let mut block = vec![0x81];
    block.extend(1500_i16.to_be_bytes());
    block.resize(n_bytes, 0);
    let time = element(&[0xe7], &4000_u16.to_be_bytes());
    let block = element(&[0xa3], &block);
    [
        &[0x1f, 0x43, 0xb6, 0x75, 0x01][..],
        &[0xff; 7],
        &time,
        &block,
    ]
    .concat()
}

#[test]
fn a_recording_without_a_duration_is_as_long_as_its_last_block_says() {
    for (n_bytes, most_reads) in [(100, 1), (50_000, 2), (200_000, 3), (700_000, 4)] {
        let file = [fixture("vp9-without-duration.webm"), cluster(n_bytes)].concat();
        let (facts, reads) = found(&file);
        let seconds = facts.duration.unwrap();
        assert!((seconds - 5.5).abs() <= FRAME, "{n_bytes}: {seconds}");
        assert!(reads <= most_reads, "{n_bytes}: {reads} reads");
    }
}

#[test]
fn a_recording_whose_last_cluster_is_too_large_keeps_its_picture() {
    let file = [fixture("vp9-without-duration.webm"), cluster(5_000_000)].concat();
    let (facts, reads) = found(&file);
    assert_eq!((facts.duration, facts.width), (None, Some(64)));
    assert!(reads <= 8);
}

#[test]
fn ten_gigabytes_cost_as_little_as_ten_kilobytes() {
    let file = fixture("moov-at-end.mp4");
    let moov = &file[place(&file, b"moov") - 4..];
    let gigabytes = 10_000_000_000_u64;
    let mut begin = file[..place(&file, b"mdat") - 4].to_vec();
    let moov_at = begin.len() as u64 + gigabytes;
    // A size of eight bytes.
    begin.extend(1_u32.to_be_bytes());
    begin.extend(b"mdat");
    begin.extend(gigabytes.to_be_bytes());
    let total = moov_at + moov.len() as u64;
    let (mut walk, mut reads) = (Walk::new(Limits::default()), 0);
    let facts = loop {
        match walk.next() {
            Next::Read(range) => {
                let byte = |at: u64| match at {
                    at if at < begin.len() as u64 => begin[at as usize],
                    at if at >= moov_at => moov[(at - moov_at) as usize],
                    _ => 0,
                };
                let bytes: Vec<u8> = (range.start..range.end.min(total)).map(byte).collect();
                walk.give(range.start, &bytes, total);
                reads += 1;
            }
            Next::Done(facts) => break facts,
            Next::Failed(problem) => panic!("{problem}"),
        }
    };
    assert_eq!((facts.duration, reads), (Some(2.0), 2));
}
