//! Which kinds of messages a channel holds, and how many of each.

use super::dice::Dice;

/// A kind of message. The kinds before `Text` contain an uploaded clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Video,
    /// Without `duration_secs`, as older messages are.
    VideoUndeclared,
    /// Without `content_type`, recognised by the extension.
    VideoUntyped,
    OctetStream,
    /// Recorded with Discord's Clips.
    RecordedClip,
    SpoilerVideo,
    SeveralFiles,
    /// A forward of the channel's last clip.
    Forward,
    Gallery,
    NestedComponents,
    FileComponent,
    CrosspostVideo,
    WebhookVideo,
    Text,
    Image,
    ThumbnailVideo,
    /// A reply to the channel's last clip. It includes the clip's message but contains no
    /// clip itself.
    Reply,
    ProviderEmbed,
    DirectLink,
    Gifv,
    VoiceMessage,
    Sticker,
    Poll,
    Webhook,
    System,
}

pub(super) type Mix = &'static [(Kind, u64)];

/// Mostly chat, with a few clips.
pub(super) const TALK: Mix = &[
    (Kind::Text, 800),
    (Kind::Image, 60),
    (Kind::Reply, 40),
    (Kind::Gifv, 20),
    (Kind::Sticker, 15),
    (Kind::System, 15),
    (Kind::ProviderEmbed, 12),
    (Kind::Video, 12),
    (Kind::Webhook, 8),
    (Kind::VoiceMessage, 6),
    (Kind::Poll, 4),
    (Kind::VideoUndeclared, 4),
    (Kind::Forward, 2),
    (Kind::DirectLink, 2),
];

/// Every way in which a message can contain a video, mixed with chat.
pub(super) const CLIPS: Mix = &[
    (Kind::Video, 200),
    (Kind::Text, 150),
    (Kind::VideoUndeclared, 80),
    (Kind::RecordedClip, 60),
    (Kind::Reply, 60),
    (Kind::ProviderEmbed, 50),
    (Kind::VideoUntyped, 40),
    (Kind::Forward, 40),
    (Kind::SeveralFiles, 40),
    (Kind::Image, 40),
    (Kind::Gallery, 25),
    (Kind::SpoilerVideo, 25),
    (Kind::OctetStream, 25),
    (Kind::NestedComponents, 20),
    (Kind::FileComponent, 20),
    (Kind::DirectLink, 20),
    (Kind::Gifv, 20),
    (Kind::WebhookVideo, 15),
    (Kind::ThumbnailVideo, 15),
    (Kind::VoiceMessage, 10),
    (Kind::System, 10),
    (Kind::Sticker, 5),
    (Kind::Poll, 5),
];

/// Announcements, many of them crossposted from other guilds.
pub(super) const HIGHLIGHTS: Mix = &[
    (Kind::CrosspostVideo, 30),
    (Kind::Text, 30),
    (Kind::ProviderEmbed, 15),
    (Kind::Video, 10),
    (Kind::NestedComponents, 5),
    (Kind::Image, 5),
    (Kind::Webhook, 5),
];

pub(super) fn draw(mix: Mix, dice: &mut Dice) -> Kind {
    let total = mix.iter().map(|(_, weight)| weight).sum();
    let mut left = dice.below(total);
    for (kind, weight) in mix {
        if left < *weight {
            return *kind;
        }
        left -= weight;
    }
    Kind::Text
}
