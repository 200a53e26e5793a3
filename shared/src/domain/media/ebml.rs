//! WebM and Matroska files: a tree of elements.

use super::clusters;
use super::elements::{CLUSTER, Element, Elements};
use super::facts::{Facts, Problem};
use super::view::{Stop, View};

const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114d_9b74;
const SEEK: u32 = 0x4dbb;
const SEEK_ID: u32 = 0x53ab;
const SEEK_POSITION: u32 = 0x53ac;
const INFO: u32 = 0x1549_a966;
const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK_ENTRY: u32 = 0xae;
const TRACK_NUMBER: u32 = 0xd7;
const TRACK_TYPE: u32 = 0x83;
const CODEC_ID: u32 = 0x86;
const DEFAULT_DURATION: u32 = 0x23_e383;
const VIDEO: u32 = 0xe0;
const PIXEL_WIDTH: u32 = 0xb0;
const PIXEL_HEIGHT: u32 = 0xba;
const PROJECTION: u32 = 0x7670;
const PROJECTION_ROLL: u32 = 0x7675;

/// What a file says about itself.
struct Segment {
    /// Where the positions in the file count from.
    start: u64,
    info_at: Option<u64>,
    tracks_at: Option<u64>,
    has_info: bool,
    has_tracks: bool,
    has_video: bool,
    /// Nanoseconds in a tick.
    scale: u64,
    /// The number of the video track.
    video: u64,
    /// How long a frame is shown, in nanoseconds.
    frame: u64,
    ticks: f64,
}

/// Collects the facts of a file.
pub(super) fn look(view: &View, facts: &mut Facts) -> Result<(), Stop> {
    let mut elements = Elements::new(view);
    let header = elements.read(0)?;
    let segment = elements.read(header.end.ok_or(Problem::Damaged)?)?;
    if segment.id != SEGMENT {
        return Err(Problem::Damaged.into());
    }
    let mut found = Segment {
        start: segment.start,
        info_at: None,
        tracks_at: None,
        has_info: false,
        has_tracks: false,
        has_video: false,
        scale: 1_000_000,
        video: 0,
        frame: 0,
        ticks: 0.0,
    };
    found.read(&mut elements, segment, facts)?;
    for at in [found.info_at, found.tracks_at].into_iter().flatten() {
        if !(found.has_info && found.has_tracks) {
            let element = elements.read(at)?;
            found.add(&mut elements, element, facts)?;
        }
    }
    if !found.has_tracks && !found.has_info {
        return Err(Problem::Incomplete.into());
    }
    if found.has_tracks && !found.has_video {
        *facts = Facts::default();
        return Err(Problem::NoVideo.into());
    }
    let seconds = |ticks: f64| ticks * found.scale as f64 / 1e9;
    facts.set_duration(Some(seconds(found.ticks)));
    if facts.duration.is_none() {
        // Recorders that write while they record leave it out.
        let frame = found.frame / found.scale.max(1);
        let shown = |track: u64| if track == found.video { frame } else { 0 };
        let last = clusters::last_ticks(&mut elements, segment.start, &shown)?;
        facts.set_duration(last.map(|ticks| seconds(ticks as f64)));
    }
    Ok(())
}

impl Segment {
    /// Reads the elements before the first cluster.
    fn read(
        &mut self,
        elements: &mut Elements<'_>,
        segment: Element,
        facts: &mut Facts,
    ) -> Result<(), Stop> {
        let total = elements.view.total();
        let end = segment.end.unwrap_or(total).min(total);
        let mut at = segment.start;
        while at < end && !(self.has_info && self.has_tracks) {
            let element = elements.read(at)?;
            if element.id == CLUSTER {
                break;
            }
            self.add(elements, element, facts)?;
            at = element.end.ok_or(Problem::Damaged)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        elements: &mut Elements<'_>,
        element: Element,
        facts: &mut Facts,
    ) -> Result<(), Stop> {
        match element.id {
            SEEK_HEAD => elements.within(element, |elements, seek| match seek.id {
                SEEK => self.seek(elements, seek),
                _ => Ok(()),
            }),
            INFO => {
                self.has_info = true;
                elements.within(element, |elements, field| {
                    match field.id {
                        TIMESTAMP_SCALE => self.scale = elements.number(field)?,
                        DURATION => self.ticks = elements.float(field)?,
                        _ => {}
                    }
                    Ok(())
                })
            }
            TRACKS => {
                self.has_tracks = true;
                elements.within(element, |elements, entry| match entry.id {
                    TRACK_ENTRY => self.track(elements, entry, facts),
                    _ => Ok(()),
                })
            }
            _ => Ok(()),
        }
    }

    /// Reads where an element is.
    fn seek(&mut self, elements: &mut Elements<'_>, seek: Element) -> Result<(), Stop> {
        let (mut id, mut position) = (0, 0);
        elements.within(seek, |elements, field| {
            match field.id {
                SEEK_ID => id = elements.number(field)? as u32,
                SEEK_POSITION => position = elements.number(field)?,
                _ => {}
            }
            Ok(())
        })?;
        let at = self.start.saturating_add(position);
        match id {
            INFO => self.info_at = Some(at),
            TRACKS => self.tracks_at = Some(at),
            _ => {}
        }
        Ok(())
    }

    /// Reads a track. The first video counts.
    fn track(
        &mut self,
        elements: &mut Elements<'_>,
        entry: Element,
        facts: &mut Facts,
    ) -> Result<(), Stop> {
        let (mut number, mut kind, mut codec, mut frame) = (0, 0, String::new(), 0);
        let (mut width, mut height, mut roll) = (0, 0, 0.0);
        elements.within(entry, |elements, field| {
            match field.id {
                TRACK_NUMBER => number = elements.number(field)?,
                TRACK_TYPE => kind = elements.number(field)?,
                CODEC_ID => codec = elements.text(field)?,
                DEFAULT_DURATION => frame = elements.number(field)?,
                VIDEO => elements.within(field, |elements, field| {
                    match field.id {
                        PIXEL_WIDTH => width = elements.number(field)?,
                        PIXEL_HEIGHT => height = elements.number(field)?,
                        PROJECTION => elements.within(field, |elements, field| {
                            if field.id == PROJECTION_ROLL {
                                roll = elements.float(field)?;
                            }
                            Ok(())
                        })?,
                        _ => {}
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        if kind != 1 || self.has_video {
            return Ok(());
        }
        self.has_video = true;
        (self.video, self.frame) = (number, frame);
        let side = |pixels: u64| u32::try_from(pixels).unwrap_or(0);
        facts.set_picture(side(width), side(height), rotation(roll));
        facts.codec = name(&codec);
        Ok(())
    }
}

/// The rotation, clockwise, of a roll, which counts counter-clockwise.
fn rotation(roll: f64) -> u16 {
    match (-roll).rem_euclid(360.0).round() {
        90.0 => 90,
        180.0 => 180,
        270.0 => 270,
        _ => 0,
    }
}

/// The name of a codec.
fn name(id: &str) -> Option<String> {
    let name = match id {
        "V_MPEG4/ISO/AVC" => "h264",
        "V_MPEGH/ISO/HEVC" => "hevc",
        _ if id.starts_with("V_MPEG4/") => "mpeg4",
        _ => id.strip_prefix("V_")?,
    };
    let name = name.to_ascii_lowercase();
    let is_word = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '/' || c == '_');
    (is_word && !name.is_empty() && name.len() <= 32).then_some(name)
}
