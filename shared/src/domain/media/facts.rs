//! What a walk finds, and what can be wrong with a file.

/// The longest length to believe, in seconds.
const LONGEST: f64 = 24.0 * 3600.0;

/// The largest width or height to believe, in pixels.
const LARGEST: u32 = 16_384;

/// What the headers of a video file say. A value that cannot be true is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The length in seconds.
    pub duration: Option<f64>,
    /// The width as shown, in pixels: after the rotation.
    pub width: Option<u32>,
    /// The height as shown, in pixels.
    pub height: Option<u32>,
    /// By how many degrees a player turns the picture clockwise: 0, 90, 180 or 270.
    pub rotation: Option<u16>,
    /// The name of the video's codec, such as `h264` or `vp9`.
    pub codec: Option<String>,
}

/// Why a file's facts are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is no MP4, QuickTime, WebM or Matroska file.
    #[error("the file's format is not known")]
    Unsupported,
    /// Its headers contradict themselves.
    #[error("the file is damaged")]
    Damaged,
    /// It ends before its headers do, or has none.
    #[error("the file is incomplete")]
    Incomplete,
    /// It has no video track.
    #[error("the file contains no video")]
    NoVideo,
    /// Its headers are spread so widely that they cannot be read within the limits.
    #[error("the file's headers are too large")]
    TooLarge,
}

impl Problem {
    /// The problem as one word, as the API shows it.
    pub fn code(self) -> &'static str {
        match self {
            Problem::Unsupported => "unsupported",
            Problem::Damaged => "damaged",
            Problem::Incomplete => "incomplete",
            Problem::NoVideo => "no_video",
            Problem::TooLarge => "too_large",
        }
    }
}

impl Facts {
    /// Whether anything is known.
    pub(super) fn is_something(&self) -> bool {
        self.duration.is_some() || self.width.is_some()
    }

    /// Sets the length, if it can be true.
    pub(super) fn set_duration(&mut self, seconds: Option<f64>) {
        self.duration = seconds.filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST);
    }

    /// Sets the size of the picture before its rotation, if both sides can be true.
    pub(super) fn set_picture(&mut self, width: u32, height: u32, rotation: u16) {
        let can_be = |side: u32| (1..=LARGEST).contains(&side);
        if !can_be(width) || !can_be(height) {
            return;
        }
        let lies = rotation % 180 == 90;
        let (width, height) = if lies {
            (height, width)
        } else {
            (width, height)
        };
        (self.width, self.height) = (Some(width), Some(height));
        self.rotation = Some(rotation);
    }
}
