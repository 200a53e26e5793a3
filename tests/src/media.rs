//! Walks through the headers of files in memory, and damages the files.

use std::time::{Duration, Instant};

use shared::media::{Limits, Next, Walk};

/// The result of a walk.
#[derive(Debug)]
pub struct Looked {
    pub result: Next,
    pub reads: u32,
    pub bytes: u64,
    pub time: Duration,
}

/// Looks inside a file, as the fetcher does with one on a server.
pub fn look(file: &[u8]) -> Looked {
    let (started, total) = (Instant::now(), file.len() as u64);
    let mut walk = Walk::new(Limits::default());
    let (mut reads, mut bytes) = (0, 0);
    loop {
        match walk.next() {
            Next::Read(range) => {
                let end = range.end.min(total);
                let begin = range.start.min(end);
                assert!(
                    begin < end || total == 0,
                    "an empty read: {range:?} of {total}"
                );
                walk.give(begin, &file[begin as usize..end as usize], total);
                reads += 1;
                bytes += end - begin;
            }
            result => {
                return Looked {
                    result,
                    reads,
                    bytes,
                    time: started.elapsed(),
                };
            }
        }
    }
}

/// Numbers at which sizes and counts go wrong.
const EXTREMES: [u32; 8] = [
    0,
    1,
    7,
    8,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
];

/// Where headers usually are, from the beginning and from the end of a file.
const HEADERS: usize = 3000;

/// Damages a file: a few bytes or numbers, a part cut out or repeated, the end cut off.
pub fn damaged(file: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut file = file.to_vec();
    for _ in 0..random.usize(1..=4) {
        if file.len() < 16 {
            break;
        }
        let near = random.usize(0..file.len().min(HEADERS) - 8);
        let at = match random.u8(0..3) {
            0 => file.len() - 8 - near,
            _ => near,
        };
        match random.u8(0..10) {
            0 => file.truncate(random.usize(0..file.len())),
            1 => {
                let end = (at + random.usize(1..64)).min(file.len());
                file.drain(at..end);
            }
            2 => {
                let end = (at + random.usize(1..64)).min(file.len());
                let again = file[at..end].to_vec();
                file.splice(at..at, again);
            }
            3 | 4 => {
                let number = random.choice(EXTREMES).unwrap_or_default();
                file[at..at + 4].copy_from_slice(&number.to_be_bytes());
            }
            _ => file[at] = random.u8(..),
        }
    }
    file
}

/// Looks inside `n` damaged files, made from these. Returns the longest time of one.
///
/// # Panics
/// If a walk exceeds its limits, or finds what cannot be true. The message names the seed
/// of the file.
pub fn look_at_damaged(files: &[(String, Vec<u8>)], n: u64, seed: u64) -> Duration {
    let mut longest = Duration::ZERO;
    for place in 0..n {
        let seed = seed.wrapping_add(place);
        let mut random = fastrand::Rng::with_seed(seed);
        let (name, file) = &files[random.usize(0..files.len())];
        let looked = look(&damaged(file, &mut random));
        let what = format!("{name}, seed {seed}");
        assert!(looked.reads <= 8 && looked.bytes <= 1024 * 1024, "{what}");
        if let Next::Done(facts) = &looked.result {
            let seconds = facts.duration.unwrap_or(1.0);
            assert!(seconds > 0.0 && seconds <= 86_400.0, "{what}: {seconds} s");
            for side in [facts.width, facts.height].into_iter().flatten() {
                assert!((1..=16_384).contains(&side), "{what}: {side} pixels");
            }
        }
        longest = longest.max(looked.time);
    }
    longest
}

/// The files in a folder that are videos, with their content.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn files_in(folder: &std::path::Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.ends_with(".json") {
            files.push((name.into_owned(), std::fs::read(&path)?));
        }
    }
    files.sort();
    Ok(files)
}
