//! A message of each kind.

use std::time::Duration;

use serde_json::json;

use super::{dice::Dice, embeds, mix::Kind, people};
use crate::guild::{
    AttachmentSpec, ComponentSpec, Guild, IS_CLIP, IS_CROSSPOST, IS_SPOILER, IS_THUMBNAIL,
    IS_VOICE_MESSAGE, MessageSpec,
};

const WEBHOOK_ID: u64 = 1_150_000_000_000_000_001;
const OTHER_GUILD_ID: u64 = 1_000_000_000_000_000_001;

/// A message of the given kind for a channel. In a channel without any clip yet, a
/// forward or reply becomes a plain video or text.
pub(super) fn message(
    kind: Kind,
    guild: &Guild,
    last_clip: Option<(u64, u64)>,
    dice: &mut Dice,
) -> MessageSpec {
    let author = people::author(dice);
    let text = MessageSpec::text(&people::sentence(dice)).author(author.clone());
    let laid_out = MessageSpec::default().author(author.clone());
    match kind {
        Kind::Text => text,
        Kind::Image => text.attachment(AttachmentSpec::image("screenshot.png")),
        Kind::Video => text.attachment(video(dice)),
        Kind::VideoUndeclared => text.attachment(video(dice).declared_secs(None)),
        Kind::VideoUntyped => text.attachment(untyped(dice)),
        Kind::OctetStream => {
            text.attachment(video(dice).content_type(Some("application/octet-stream")))
        }
        Kind::RecordedClip => text.attachment(recorded(dice)),
        Kind::SpoilerVideo => {
            let name = format!("SPOILER_{}.mp4", people::title(dice));
            text.attachment(sized(AttachmentSpec::video(&name), dice).flags(IS_SPOILER))
        }
        Kind::ThumbnailVideo => text.attachment(video(dice).flags(IS_THUMBNAIL)),
        Kind::SeveralFiles => text
            .attachment(video(dice))
            .attachment(AttachmentSpec::image("scoreboard.png"))
            .attachment(video(dice)),
        Kind::Forward => last_clip
            .and_then(|(channel_id, message_id)| guild.forward(channel_id, message_id))
            .unwrap_or_else(|| MessageSpec::video("first.mp4"))
            .author(author),
        Kind::Reply => last_clip
            .and_then(|(channel_id, id)| guild.reply(channel_id, id, "watch the end again"))
            .unwrap_or(text)
            .author(author),
        Kind::Gallery => laid_out.component(ComponentSpec::Gallery(vec![
            AttachmentSpec::image("cover.png"),
            video(dice),
        ])),
        Kind::NestedComponents => laid_out.component(ComponentSpec::Container(vec![
            ComponentSpec::Section("## Best of".to_owned(), AttachmentSpec::image("logo.png")),
            ComponentSpec::Raw(json!({ "type": 14, "divider": true, "spacing": 1 })),
            ComponentSpec::Gallery(vec![video(dice), video(dice)]),
        ])),
        Kind::FileComponent => laid_out
            .component(ComponentSpec::Text("raw recording".to_owned()))
            .component(ComponentSpec::File(video(dice))),
        Kind::CrosspostVideo => text
            .flags(IS_CROSSPOST)
            .set(
                "message_reference",
                json!({
                    "type": 0,
                    "guild_id": OTHER_GUILD_ID.to_string(),
                    "channel_id": (OTHER_GUILD_ID + 1).to_string(),
                    "message_id": (OTHER_GUILD_ID + 2).to_string(),
                }),
            )
            .attachment(video(dice)),
        Kind::Webhook => text.webhook(WEBHOOK_ID, "score-feed"),
        Kind::WebhookVideo => text
            .webhook(WEBHOOK_ID, "score-feed")
            .attachment(video(dice)),
        Kind::ProviderEmbed => text.embed(embeds::provider(dice)),
        Kind::DirectLink => text.embed(embeds::direct_link(dice)),
        Kind::Gifv => text.embed(embeds::gifv()),
        Kind::VoiceMessage => laid_out.flags(IS_VOICE_MESSAGE).attachment(voice()),
        Kind::Sticker => laid_out.set(
            "sticker_items",
            json!([{ "id": "749054660769218631", "name": "Wave", "format_type": 3 }]),
        ),
        Kind::Poll => laid_out.set("poll", poll()),
        Kind::System => laid_out.kind(*dice.one_of(&[6, 7, 8, 12, 18, 46])),
    }
}

/// A video of a type that is common on Discord, declared correctly.
fn video(dice: &mut Dice) -> AttachmentSpec {
    let extension = dice.one_of(&["mp4", "mp4", "mp4", "mov", "webm"]);
    let name = format!("{}.{extension}", people::title(dice));
    sized(AttachmentSpec::video(&name), dice)
}

fn untyped(dice: &mut Dice) -> AttachmentSpec {
    let extension = dice.one_of(&["mp4", "MOV", "mkv"]);
    let name = format!("{}.{extension}", people::title(dice));
    sized(AttachmentSpec::video(&name), dice).content_type(None)
}

fn recorded(dice: &mut Dice) -> AttachmentSpec {
    let name = format!("{}.mp4", people::title(dice));
    sized(AttachmentSpec::video(&name), dice)
        .flags(IS_CLIP)
        .set("title", json!("Überraschung im Finale"))
        .set("clip_created_at", json!("2025-06-01T20:15:00.000000+00:00"))
        .set("clip_participants", json!([]))
}

fn sized(attachment: AttachmentSpec, dice: &mut Dice) -> AttachmentSpec {
    let (width, height) = *dice.one_of(&[(1920, 1080), (1280, 720), (1080, 1920), (640, 360)]);
    let duration_ms = 2_000 + dice.below(118_000);
    let attachment = attachment
        .dimensions(width, height)
        .duration(Duration::from_millis(duration_ms))
        .size_bytes(400_000 + dice.below(9_000_000));
    if dice.below(3) == 0 {
        attachment.moov_at_end()
    } else {
        attachment
    }
}

fn voice() -> AttachmentSpec {
    AttachmentSpec::file("voice-message.ogg", "audio/ogg")
        .declared_secs(Some(4.7))
        .set("waveform", json!("AAECAwQFBgcICQ=="))
}

fn poll() -> serde_json::Value {
    json!({
        "question": { "text": "Clip of the week?" },
        "answers": [
            { "answer_id": 1, "poll_media": { "text": "the ace" } },
            { "answer_id": 2, "poll_media": { "text": "the save" } },
        ],
        "expiry": "2025-07-01T00:00:00.000000+00:00",
        "allow_multiselect": false,
        "layout_type": 1,
    })
}
