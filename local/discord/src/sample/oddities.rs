//! Messages that the real Discord sends and strict clients reject.

use serde_json::json;

use super::embeds;
use crate::{
    guild::{AttachmentSpec, ComponentSpec, MessageSpec},
    sample::dice::Dice,
};

/// All of them. The first nine contain one uploaded clip each, the tenth shows an
/// external video, and the rest contain none.
pub(super) fn all(dice: &mut Dice) -> Vec<MessageSpec> {
    let video = || AttachmentSpec::video("odd.mp4");
    let with = |attachment| MessageSpec::text("odd").attachment(attachment);
    vec![
        with(
            video()
                .set("width", json!(1920.0))
                .set("height", json!(1080.0)),
        ),
        with(video().set("width", json!(null)).set("height", json!(null))),
        with(video().without("proxy_url").without("flags")),
        with(video().set("content_type", json!(null))),
        with(
            video()
                .set("flags", json!(1_u64 << 40))
                .set("duration_secs", json!(0)),
        ),
        with(video().set("application", json!({ "id": "1", "unknown": [] }))),
        MessageSpec::video("odd.mp4").set(
            "author",
            json!({ "id": "1100000000000000007", "username": "lena", "public_flags": "0" }),
        ),
        MessageSpec::video("odd.mp4")
            .kind(9_001)
            .set("future_field", json!({ "deep": [1, { "er": null }] })),
        MessageSpec::default()
            .component(ComponentSpec::Raw(json!({ "type": 99, "shape": "round" })))
            .component(ComponentSpec::Gallery(vec![video()])),
        MessageSpec::default().component(ComponentSpec::Raw(json!({
            "type": 12,
            "items": [{ "media": {
                "url": "https://files.example/linked.mp4",
                "content_type": "video/mp4",
            }}],
        }))),
        MessageSpec::text("").embed(json!({ "type": "hologram", "video": null })),
        MessageSpec::text("thumbnail only").embed(json!({ "type": "image", "thumbnail": null })),
        MessageSpec::text("gif")
            .embed(embeds::gifv())
            .without("mentions"),
        MessageSpec::text("the answered message is gone")
            .kind(19)
            .set("referenced_message", json!(null)),
        MessageSpec::text("no lists")
            .without("attachments")
            .without("embeds")
            .without("flags"),
        MessageSpec::text("null lists").set("components", json!(null)),
        MessageSpec::text("a forward of nothing").set(
            "message_snapshots",
            json!([{ "message": { "type": 0, "components": null, "content": "" } }]),
        ),
        with(AttachmentSpec::file(
            "archive.zip",
            "application/octet-stream",
        )),
        with(AttachmentSpec::file("noextension", "text/plain").content_type(None)),
        MessageSpec::text(&format!("number {}", dice.below(100))).set("nonce", json!(17)),
    ]
}
