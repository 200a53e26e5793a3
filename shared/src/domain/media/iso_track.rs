//! A track of an MP4 or QuickTime file.

use super::boxes::{Boxes, Part};
use super::view::{Stop, View};

/// A track. What is zero is not known.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub id: u32,
    pub is_video: bool,
    pub timescale: u32,
    /// In units of the timescale.
    pub duration: Option<u64>,
    pub width: u32,
    pub height: u32,
    pub rotation: u16,
    pub codec: Option<String>,
    /// The duration of a sample in a fragment that does not say.
    pub sample_duration: u32,
    /// The size of the picture as it is encoded.
    coded: (u32, u32),
}

impl Track {
    pub fn seconds(&self, duration: Option<u64>) -> Option<f64> {
        let timescale = Some(self.timescale).filter(|timescale| *timescale > 0)?;
        Some(duration? as f64 / f64::from(timescale))
    }
}

/// Reads a box `trak`.
pub(super) fn read(boxes: &mut Boxes<'_>, trak: Part) -> Result<Track, Stop> {
    let mut track = Track::default();
    boxes.within(trak, |boxes, part| match &part.kind {
        b"tkhd" => header(&mut track, boxes.view, part),
        b"mdia" => boxes.within(part, |boxes, part| media(&mut track, boxes, part)),
        _ => Ok(()),
    })?;
    if track.width == 0 || track.height == 0 {
        (track.width, track.height) = track.coded;
    }
    Ok(track)
}

/// The timescale and the duration in `mvhd` or `mdhd`. The duration is `None` if it is
/// given as unknown.
pub(super) fn time(view: &View, part: Part) -> Result<(u32, Option<u64>), Stop> {
    let is_long = view.number(part.start, 1)? == 1;
    let (timescale, duration, unknown) = match is_long {
        true => {
            let duration = view.number(part.start + 24, 8)?;
            (view.word(part.start + 20)?, duration, u64::MAX)
        }
        false => {
            let duration = view.word(part.start + 16)?;
            let unknown = u64::from(u32::MAX);
            (view.word(part.start + 12)?, u64::from(duration), unknown)
        }
    };
    let is_known = duration != 0 && duration != unknown;
    Ok((timescale, is_known.then_some(duration)))
}

/// Reads `tkhd`.
fn header(track: &mut Track, view: &View, part: Part) -> Result<(), Stop> {
    let is_long = view.number(part.start, 1)? == 1;
    let longer = if is_long { 12 } else { 0 };
    let id_at = if is_long { 20 } else { 12 };
    track.id = view.word(part.start + id_at)?;
    let matrix = part.start + longer + 40;
    let entry = |n: u64| Ok::<i32, Stop>(view.word(matrix + 4 * n)? as i32);
    track.rotation = rotation([entry(0)?, entry(1)?, entry(3)?, entry(4)?]);
    // Fixed-point numbers with 16 binary places.
    track.width = view.word(matrix + 36)? >> 16;
    track.height = view.word(matrix + 40)? >> 16;
    Ok(())
}

/// The rotation of a transformation matrix, clockwise. Other matrices count as none.
fn rotation([a, b, c, d]: [i32; 4]) -> u16 {
    match (a.signum(), b.signum(), c.signum(), d.signum()) {
        (0, 1, _, 0) => 90,
        (-1, 0, 0, -1) => 180,
        (0, -1, _, 0) => 270,
        _ => 0,
    }
}

/// Reads a box in `mdia`.
fn media(track: &mut Track, boxes: &mut Boxes<'_>, part: Part) -> Result<(), Stop> {
    match &part.kind {
        b"mdhd" => {
            (track.timescale, track.duration) = time(boxes.view, part)?;
            Ok(())
        }
        b"hdlr" => {
            track.is_video = boxes.view.bytes(part.start + 8, 4)? == b"vide";
            Ok(())
        }
        // Sample tables are large, and only a video's first entry matters.
        b"minf" if track.is_video => boxes.within(part, |boxes, part| match &part.kind {
            b"stbl" => samples(track, boxes, part),
            _ => Ok(()),
        }),
        _ => Ok(()),
    }
}

/// Reads the description of the samples, which comes first in `stbl`.
fn samples(track: &mut Track, boxes: &mut Boxes<'_>, stbl: Part) -> Result<(), Stop> {
    if stbl.end - stbl.start < 24 {
        return Ok(());
    }
    let stsd = boxes.read(stbl.start, stbl.end)?;
    if stsd.kind != *b"stsd" || stsd.end - stsd.start < 16 {
        return Ok(());
    }
    let entry = boxes.read(stsd.start + 8, stsd.end)?;
    track.codec = codec(entry.kind);
    if entry.end - entry.start >= 28 {
        let size = boxes.view.word(entry.start + 24)?;
        track.coded = (size >> 16, size & 0xffff);
    }
    Ok(())
}

/// The name of a codec.
fn codec(kind: [u8; 4]) -> Option<String> {
    let name = match &kind {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" => "h264",
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => "hevc",
        b"av01" => "av1",
        b"vp08" => "vp8",
        b"vp09" => "vp9",
        b"mp4v" => "mpeg4",
        b"apch" | b"apcn" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => "prores",
        b"jpeg" | b"mjpa" | b"mjpb" => "mjpeg",
        other if other.iter().all(u8::is_ascii_alphanumeric) => {
            return Some(String::from_utf8_lossy(other).to_ascii_lowercase());
        }
        _ => return None,
    };
    Some(name.to_owned())
}
