//! MP4 and QuickTime files: a sequence of boxes, some of which contain boxes.

use super::boxes::{Boxes, Part};
use super::facts::{Facts, Problem};
use super::fragments;
use super::iso_track::{self, Track};
use super::view::{Stop, View};

/// How many tracks a file may have.
const MOST_TRACKS: usize = 64;

/// The boxes that a file may begin with.
const BEGINNINGS: [&[u8; 4]; 9] = [
    b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid",
];

/// The tracks of a file, and its length.
#[derive(Default)]
pub(super) struct Movie {
    pub tracks: Vec<Track>,
    timescale: u32,
    duration: Option<u64>,
    /// Whether the samples are described in fragments that follow.
    is_fragmented: bool,
    /// The length with all fragments, in units of the movie's timescale.
    fragments: Option<u64>,
}

/// Whether a file may begin with these bytes.
pub(super) fn is_beginning(bytes: &[u8]) -> bool {
    BEGINNINGS.iter().any(|kind| bytes[4..8] == kind[..])
}

/// Collects the facts of a file.
pub(super) fn look(view: &View, facts: &mut Facts) -> Result<(), Stop> {
    let mut boxes = Boxes::new(view);
    let moov = find(&mut boxes)?;
    let mut movie = Movie::default();
    boxes.within(moov, |boxes, part| movie.add(boxes, part, facts))?;
    if movie.tracks.iter().all(|track| !track.is_video) {
        *facts = Facts::default();
        let problem = match moov.is_cut {
            true => Problem::Incomplete,
            false => Problem::NoVideo,
        };
        return Err(problem.into());
    }
    if movie.is_fragmented {
        facts.set_duration(movie.seconds(movie.fragments));
        if facts.duration.is_none() {
            // The length in `moov` would be that of the first fragment.
            let seconds = fragments::seconds(&mut boxes, moov.end, &movie.tracks)?;
            facts.set_duration(seconds);
        }
    }
    Ok(())
}

/// Finds the box that describes the file.
fn find(boxes: &mut Boxes<'_>) -> Result<Part, Stop> {
    let (mut at, end) = (0, boxes.view.total());
    while at + 8 <= end {
        let part = boxes.read(at, end)?;
        if part.kind == *b"moov" {
            return Ok(part);
        }
        at = part.end;
    }
    Err(Problem::Incomplete.into())
}

impl Movie {
    /// Adds what one box in `moov` says.
    fn add(&mut self, boxes: &mut Boxes<'_>, part: Part, facts: &mut Facts) -> Result<(), Stop> {
        match &part.kind {
            b"mvhd" => {
                let (timescale, duration) = iso_track::time(boxes.view, part)?;
                (self.timescale, self.duration) = (timescale, duration);
                facts.set_duration(self.seconds(duration));
            }
            b"trak" if self.tracks.len() < MOST_TRACKS => {
                let track = iso_track::read(boxes, part)?;
                self.show(&track, facts);
                self.tracks.push(track);
            }
            b"mvex" => {
                self.is_fragmented = true;
                boxes.within(part, |boxes, part| self.extend(boxes.view, part))?;
                facts.set_duration(None);
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes over the facts of the first video track.
    fn show(&self, track: &Track, facts: &mut Facts) {
        if !track.is_video || facts.width.is_some() {
            return;
        }
        facts.set_picture(track.width, track.height, track.rotation);
        facts.codec.clone_from(&track.codec);
        if facts.duration.is_none() {
            facts.set_duration(track.seconds(track.duration));
        }
    }

    /// Adds what one box in `mvex` says.
    fn extend(&mut self, view: &View, part: Part) -> Result<(), Stop> {
        match &part.kind {
            b"mehd" => {
                let is_long = view.number(part.start, 1)? == 1;
                let n_bytes = if is_long { 8 } else { 4 };
                self.fragments = Some(view.number(part.start + 4, n_bytes)?);
            }
            b"trex" => {
                let id = view.word(part.start + 4)?;
                let duration = view.word(part.start + 12)?;
                let mut tracks = self.tracks.iter_mut();
                if let Some(track) = tracks.find(|track| track.id == id) {
                    track.sample_duration = duration;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn seconds(&self, duration: Option<u64>) -> Option<f64> {
        let timescale = Some(self.timescale).filter(|timescale| *timescale > 0)?;
        Some(duration? as f64 / f64::from(timescale))
    }
}
