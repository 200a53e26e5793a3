//! Layout components, which can hold media that `attachments` does not list.

use serde_json::{Value, json};

use super::attachment::AttachmentSpec;
use crate::file::File;

/// One component of a message sent with IS_COMPONENTS_V2.
#[derive(Clone, Debug)]
pub enum ComponentSpec {
    /// Type 10, text.
    Text(String),
    /// Type 9, text with a thumbnail (type 11) beside it.
    Section(String, AttachmentSpec),
    /// Type 12, a gallery.
    Gallery(Vec<AttachmentSpec>),
    /// Type 13, one file.
    File(AttachmentSpec),
    /// Type 17, a container of other components.
    Container(Vec<ComponentSpec>),
    /// Anything else, sent as it is.
    Raw(Value),
}

impl ComponentSpec {
    /// Renders the component, uploading its files through `upload`.
    pub(crate) fn to_json(&self, upload: &mut dyn FnMut(&AttachmentSpec) -> File) -> Value {
        match self {
            Self::Text(content) => text(content),
            Self::Section(content, thumbnail) => {
                let file = upload(thumbnail);
                json!({
                    "type": 9,
                    "components": [text(content)],
                    "accessory": {
                        "type": 11,
                        "media": thumbnail.to_media_item(&file),
                        "description": null,
                        "spoiler": false,
                    },
                })
            }
            Self::Gallery(attachments) => {
                let items: Vec<Value> = attachments
                    .iter()
                    .map(|attachment| {
                        let file = upload(attachment);
                        json!({
                            "media": attachment.to_media_item(&file),
                            "description": null,
                            "spoiler": false,
                        })
                    })
                    .collect();
                json!({ "type": 12, "items": items })
            }
            Self::File(attachment) => {
                let file = upload(attachment);
                json!({
                    "type": 13,
                    "file": attachment.to_media_item(&file),
                    "name": attachment.filename,
                    "size": file.size_bytes,
                    "spoiler": false,
                })
            }
            Self::Container(components) => {
                let inner: Vec<Value> = components
                    .iter()
                    .map(|component| component.to_json(upload))
                    .collect();
                json!({ "type": 17, "components": inner, "accent_color": 5793266, "spoiler": false })
            }
            Self::Raw(value) => value.clone(),
        }
    }
}

fn text(content: &str) -> Value {
    json!({ "type": 10, "content": content })
}
