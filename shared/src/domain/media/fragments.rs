//! Fragmented MP4 files, in which the samples are described by many boxes `moof`. The end
//! of the last one is the length of the file.

use super::boxes::{Boxes, Part};
use super::facts::Problem;
use super::iso_track::Track;
use super::view::Stop;

/// How much of the end of a file is searched.
const TAIL: u64 = 64 * 1024;

/// How many fragments are looked at, one after the other.
const MOST_FRAGMENTS: u32 = 64;

/// How many samples of one fragment are added up.
const MOST_SAMPLES: u64 = 8 * 1024;

/// The length of a file whose fragments begin at `at`. `None` if it cannot be told.
pub(super) fn seconds(
    boxes: &mut Boxes<'_>,
    at: u64,
    tracks: &[Track],
) -> Result<Option<f64>, Stop> {
    let total = boxes.view.total();
    if let Some(seconds) = indexed(boxes, at)? {
        return Ok(Some(seconds));
    }
    let tail = total.saturating_sub(TAIL).max(at);
    let bytes = boxes.view.bytes(tail, (total - tail) as usize)?;
    // The last fragment. Every track may have fragments of its own, so all in the tail count.
    let mut last: Option<f64> = None;
    let mut n_found = 0;
    for place in bytes.windows(4).enumerate().rev() {
        let (place, word) = place;
        if word != b"moof" || place < 4 || n_found == MOST_FRAGMENTS {
            continue;
        }
        n_found += 1;
        // Media data may contain the word by chance. It then does not end as a fragment.
        let moof = boxes.read(tail + place as u64 - 4, total);
        let ends = moof.and_then(|moof| end(boxes, moof, tracks));
        if let Ok(Some(seconds)) = ends {
            last = Some(last.map_or(seconds, |last| last.max(seconds)));
        }
    }
    match last {
        Some(seconds) => Ok(Some(seconds)),
        None => one_after_the_other(boxes, at, tracks),
    }
}

/// The length by an index (`sidx`), if it covers the file.
fn indexed(boxes: &mut Boxes<'_>, from: u64) -> Result<Option<f64>, Stop> {
    let total = boxes.view.total();
    let mut at = from;
    while at + 8 <= total {
        let part = boxes.read(at, total)?;
        match &part.kind {
            b"sidx" => return index(boxes, part),
            b"moof" | b"mdat" => break,
            _ => at = part.end,
        }
    }
    Ok(None)
}

fn index(boxes: &mut Boxes<'_>, sidx: Part) -> Result<Option<f64>, Stop> {
    let view = boxes.view;
    let is_long = view.number(sidx.start, 1)? == 1;
    let timescale = view.word(sidx.start + 8)?;
    let (offset, list) = match is_long {
        true => (view.number(sidx.start + 20, 8)?, sidx.start + 28),
        false => (u64::from(view.word(sidx.start + 16)?), sidx.start + 20),
    };
    let n_entries = view.word(list)? & 0xffff;
    let (mut size, mut duration) = (offset, 0_u64);
    let entries = view.bytes(list + 4, n_entries as usize * 12)?;
    for entry in entries.chunks_exact(12) {
        let word = |at: usize| {
            u32::from_be_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]])
        };
        size = size.saturating_add(u64::from(word(0) & 0x7fff_ffff));
        duration = duration.saturating_add(u64::from(word(4)));
    }
    // Some files have an index for each fragment. One that ends early covers only its own.
    let end = sidx.end.saturating_add(size);
    let is_whole = end.saturating_add(TAIL) >= view.total() && is_near_end(boxes, end)?;
    let is_known = is_whole && timescale > 0;
    Ok(is_known.then(|| duration as f64 / f64::from(timescale)))
}

/// Whether no fragment begins at `at` or later.
fn is_near_end(boxes: &mut Boxes<'_>, at: u64) -> Result<bool, Stop> {
    let total = boxes.view.total();
    let mut at = at;
    while at + 8 <= total {
        let part = boxes.read(at, total)?;
        if part.kind == *b"moof" || part.kind == *b"sidx" {
            return Ok(false);
        }
        at = part.end;
    }
    Ok(true)
}

/// The length by looking at all fragments.
fn one_after_the_other(
    boxes: &mut Boxes<'_>,
    from: u64,
    tracks: &[Track],
) -> Result<Option<f64>, Stop> {
    let total = boxes.view.total();
    let (mut at, mut last, mut seen) = (from, None::<f64>, 0);
    while at + 8 <= total {
        let part = boxes.read(at, total)?;
        if part.kind == *b"moof" {
            seen += 1;
            if seen > MOST_FRAGMENTS {
                return Ok(None);
            }
            if let Some(seconds) = end(boxes, part, tracks)? {
                last = Some(last.map_or(seconds, |last| last.max(seconds)));
            }
        }
        at = part.end;
    }
    Ok(last)
}

/// When the last sample of a fragment ends, over all its tracks.
fn end(boxes: &mut Boxes<'_>, moof: Part, tracks: &[Track]) -> Result<Option<f64>, Stop> {
    let mut last = None::<f64>;
    boxes.within(moof, |boxes, part| {
        if part.kind == *b"traf" {
            let end = track_end(boxes, part, tracks)?;
            last = match (last, end) {
                (Some(last), Some(end)) => Some(last.max(end)),
                (last, end) => end.or(last),
            };
        }
        Ok(())
    })?;
    Ok(last)
}

fn track_end(boxes: &mut Boxes<'_>, traf: Part, tracks: &[Track]) -> Result<Option<f64>, Stop> {
    let (mut track, mut each) = (None, 0);
    let (mut begin, mut length) = (None, 0_u64);
    boxes.within(traf, |boxes, part| {
        let view = boxes.view;
        match &part.kind {
            b"tfhd" => {
                let flags = view.word(part.start)?;
                let id = view.word(part.start + 4)?;
                track = tracks.iter().find(|track| track.id == id);
                each = track.map_or(0, |track| track.sample_duration);
                if flags & 0x8 != 0 {
                    let before = if flags & 0x1 != 0 { 8 } else { 0 };
                    let before = before + if flags & 0x2 != 0 { 4 } else { 0 };
                    each = view.word(part.start + 8 + before)?;
                }
            }
            b"tfdt" => {
                let is_long = view.number(part.start, 1)? == 1;
                let n_bytes = if is_long { 8 } else { 4 };
                begin = Some(view.number(part.start + 4, n_bytes)?);
            }
            b"trun" => length = length.saturating_add(run(boxes, part, each)?),
            _ => {}
        }
        Ok(())
    })?;
    let (Some(track), Some(begin)) = (track, begin) else {
        return Ok(None);
    };
    Ok(track.seconds(begin.checked_add(length)))
}

/// The duration of a run of samples.
fn run(boxes: &Boxes<'_>, trun: Part, each: u32) -> Result<u64, Stop> {
    let view = boxes.view;
    let flags = view.word(trun.start)?;
    let n_samples = u64::from(view.word(trun.start + 4)?);
    if flags & 0x100 == 0 {
        return Ok(n_samples.saturating_mul(u64::from(each)));
    }
    let has = |flag: u32| u64::from(flags & flag != 0);
    let size = 4 * (1 + has(0x200) + has(0x400) + has(0x800));
    let first = trun.start + 8 + 4 * (has(0x1) + has(0x4));
    if n_samples > MOST_SAMPLES {
        return Err(Problem::TooLarge.into());
    }
    let table = view.bytes(first, (n_samples * size) as usize)?;
    let entries = table.chunks_exact(size as usize);
    let durations =
        entries.map(|entry| u32::from_be_bytes([entry[0], entry[1], entry[2], entry[3]]));
    Ok(durations.map(u64::from).sum())
}
