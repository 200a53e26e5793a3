//! The clip as it is stored: three lines.
//!
//! 1. What the clip is found by, separated by spaces, and its minimum length: `~` and
//!    milliseconds. The scripts that list and remove clips read this line.
//! 2. What was found inside the file, as JSON. Empty while nobody has looked.
//! 3. The clip, as JSON.
//!
//! A page that is read again replaces the lines 1 and 3 and keeps line 2.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Clip, ProbeState};

/// What was found inside the file of a clip.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Probe {
    /// The length in milliseconds, if the file says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// The width in pixels, after rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// The height in pixels, after rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Degrees, clockwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation: Option<u16>,
    /// The codec of the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// A code that says why the file could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A stored clip.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipRecord {
    /// The clip as it is shown.
    pub clip: Clip,
    /// What was found inside its file, once somebody has looked.
    pub probe: Option<Probe>,
    /// Its minimum length in milliseconds, as far as its scan required one.
    pub min_ms: Option<u64>,
}

/// What is not stored with the clip, because it follows from the rest.
const DERIVED: [&str; 7] = [
    "jumpUrl",
    "durationSeconds",
    "durationProbed",
    "rotation",
    "codec",
    "probe",
    "probeError",
];

impl ClipRecord {
    /// A clip as a message shows it.
    pub fn new(clip: Clip, min_seconds: Option<f64>) -> ClipRecord {
        let probe = clip.probe_error.clone().map(|error| Probe {
            error: Some(error),
            ..Probe::default()
        });
        ClipRecord {
            clip,
            probe,
            min_ms: min_seconds.map(|seconds| (seconds * 1000.0).round() as u64),
        }
    }

    /// The record as it is stored.
    pub fn text(&self) -> String {
        let mut terms: Vec<String> = self.clip.terms().iter().map(ToString::to_string).collect();
        terms.extend(self.min_ms.filter(|ms| *ms > 0).map(|ms| format!("~{ms}")));
        let probe = self.probe.as_ref().map(crate::json::to_json);
        let clip = stored(&self.clip);
        format!("{}\n{}\n{clip}", terms.join(" "), probe.unwrap_or_default())
    }

    /// Reads a stored clip. `None` if it cannot be read.
    pub fn parse(text: &str) -> Option<ClipRecord> {
        let mut lines = text.splitn(3, '\n');
        let (terms, probe, clip) = (lines.next()?, lines.next()?, lines.next()?);
        let probe = match probe {
            "" => None,
            json => Some(serde_json::from_str(json).ok()?),
        };
        let minimum = terms.split(' ').find_map(|term| term.strip_prefix('~'));
        let clip: Clip = serde_json::from_str(clip).ok()?;
        Some(ClipRecord {
            clip: shown(clip, probe.as_ref()),
            probe,
            min_ms: minimum.and_then(|ms| ms.parse().ok()),
        })
    }

    /// Reads a clip as version 0.1 stored it: the JSON alone.
    pub fn parse_old(json: &str) -> Option<ClipRecord> {
        let mut clip: Clip = serde_json::from_str(json).ok()?;
        clip.duration_declared = clip.duration_declared.or(clip.duration_seconds);
        Some(ClipRecord {
            clip: shown(clip, None),
            probe: None,
            min_ms: None,
        })
    }
}

/// Completes the clips of a `clip` event, in which they are as they are stored: without
/// what follows from the rest.
pub fn complete_clips(data: &mut Value) {
    let clips = data.get_mut("clips").and_then(Value::as_array_mut);
    for stored in clips.into_iter().flatten() {
        if let Ok(clip) = serde_json::from_value(stored.take()) {
            *stored = serde_json::json!(shown(clip, None));
        }
    }
}

/// The JSON of a clip, without what follows from the rest and without what it lacks.
fn stored(clip: &Clip) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(clip) else {
        return "{}".to_owned();
    };
    fields.retain(|name, value| {
        let lacks = match value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        !lacks && !DERIVED.contains(&name.as_str())
    });
    Value::Object(fields).to_string()
}

/// Adds what follows from the rest.
fn shown(mut clip: Clip, probe: Option<&Probe>) -> Clip {
    clip.jump_url = format!(
        "https://discord.com/channels/{}/{}/{}",
        clip.guild_id, clip.channel_id, clip.message_id
    );
    (clip.probe, clip.probe_error) = match probe {
        None if !clip.is_uploaded() => (ProbeState::Failed, Some("external".to_owned())),
        None => (ProbeState::Pending, None),
        Some(found) => match &found.error {
            Some(code) => (ProbeState::Failed, Some(code.clone())),
            None => (ProbeState::Ok, None),
        },
    };
    if let Some(found) = probe {
        clip.duration_probed = found.ms.map(|ms| ms as f64 / 1000.0);
        clip.width = found.width.or(clip.width);
        clip.height = found.height.or(clip.height);
        clip.rotation = found.rotation;
        clip.codec.clone_from(&found.codec);
    }
    clip.duration_seconds = clip.length();
    clip
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip() -> Clip {
        Clip {
            id: "7".into(),
            guild_id: "1".into(),
            channel_id: "2".into(),
            message_id: "3".into(),
            text: Some("two\nlines".into()),
            duration_declared: Some(3.0),
            width: Some(10),
            ..Clip::default()
        }
    }

    #[test]
    fn a_record_reads_what_it_writes() {
        let mut record = ClipRecord::new(clip(), Some(2.5));
        let read = ClipRecord::parse(&record.text()).unwrap();
        assert_eq!((read.min_ms, &read.probe), (Some(2500), &None));
        assert_eq!(read.clip.probe, ProbeState::Pending);
        assert_eq!(read.clip.text.as_deref(), Some("two\nlines"));
        assert_eq!(read.clip.jump_url, "https://discord.com/channels/1/2/3");
        record.probe = Some(Probe {
            ms: Some(4200),
            height: Some(20),
            ..Probe::default()
        });
        let read = ClipRecord::parse(&record.text()).unwrap().clip;
        let lengths = (
            read.duration_declared,
            read.duration_probed,
            read.duration_seconds,
        );
        assert_eq!(lengths, (Some(3.0), Some(4.2), Some(4.2)));
        assert_eq!((read.width, read.height), (Some(10), Some(20)));
        assert_eq!(read.probe, ProbeState::Ok);
    }

    #[test]
    fn a_record_of_the_first_version_is_read() {
        let old = r#"{"id":"7","guildId":"1","channelId":"2","messageId":"3","authorId":null,
            "postedAt":5,"filename":"a.mp4","durationSeconds":3.5,"source":"attachment"}"#;
        let clip = ClipRecord::parse_old(old).unwrap().clip;
        assert_eq!(
            (clip.duration_declared, clip.duration_seconds),
            (Some(3.5), Some(3.5))
        );
    }
}
