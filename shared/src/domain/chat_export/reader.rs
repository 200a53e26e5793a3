//! Finds the messages in a file.
//!
//! The file is one object: `guild`, `channel`, some dates, then `messages`, an array. The
//! reader follows strings and brackets only. It hands the text of a value to `serde_json` once
//! the value is complete.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::in_discords_form;
use crate::discord::Message;
use crate::input::Snowflake;

/// The largest message, in bytes. A message of Discord's has at most some 100 KB.
const LARGEST: usize = 1024 * 1024;

/// The deepest nesting inside a message. Components of Discord's nest less than ten deep.
const DEEPEST: u32 = 64;

/// The parts of the head that say what the file is about.
const WANTED: [&str; 3] = ["guild", "channel", "messages"];

/// Why a file cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongFile {
    #[error("the file is not a JSON export of DiscordChatExporter")]
    NotAnExport,
    #[error("the export does not name its guild and its channel before its messages")]
    Nameless,
    #[error("a message of the export is larger than 1 MB, or nested too deeply")]
    TooLarge,
    #[error("the export ends in the middle")]
    Cut,
}

/// What was found in the file.
#[derive(Debug)]
pub enum Found {
    Message(Box<Message>),
    /// A message that could not be parsed.
    Unreadable,
}

/// A place in a file, between two messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Checkpoint {
    /// How many bytes come before it.
    pub offset: u64,
    /// The id of the guild, once it is known.
    pub guild_id: Option<String>,
    /// The id of the channel, once it is known.
    pub channel_id: Option<String>,
    in_messages: bool,
    done: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first bracket.
    Before,
    /// In the object, outside of a value.
    Head,
    /// In the array of messages, between two of them.
    Between,
    /// After the last message. Nothing is read from here on.
    After,
}

/// Reads a file piece by piece.
pub struct Reader {
    place: Place,
    /// How many bytes were read.
    offset: u64,
    /// Where the reader may start again.
    checkpoint: Checkpoint,
    /// The name before the value that is being read.
    name: Option<String>,
    /// The text of the value that is being read, or its first bytes if nobody needs it.
    value: Vec<u8>,
    /// Whether `value` is needed.
    keeps: bool,
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// Whether a value that is no string and has no bracket is being read.
    is_bare: bool,
}

impl Reader {
    /// Starts at the beginning of a file, or continues at a checkpoint. The first piece then
    /// begins at the checkpoint's offset.
    pub fn at(checkpoint: Checkpoint) -> Reader {
        let place = match (checkpoint.done, checkpoint.in_messages, checkpoint.offset) {
            (true, ..) => Place::After,
            (_, true, _) => Place::Between,
            (_, false, 0) => Place::Before,
            (_, false, _) => Place::Head,
        };
        Reader {
            place,
            offset: checkpoint.offset,
            checkpoint,
            name: None,
            value: Vec::new(),
            keeps: true,
            depth: 0,
            in_string: false,
            escaped: false,
            is_bare: false,
        }
    }

    /// The place after the last value that was handed out.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Whether all messages were read.
    pub fn is_done(&self) -> bool {
        self.place == Place::After
    }

    /// Reads the next piece until it is used up or contains a message. Returns how many of its
    /// bytes were read, and the message.
    ///
    /// # Errors
    /// The file is not what it should be. It cannot be read any further.
    pub fn read(&mut self, piece: &[u8]) -> Result<(usize, Option<Found>), WrongFile> {
        for (n, byte) in piece.iter().enumerate() {
            self.offset += 1;
            if let Some(found) = self.step(*byte)? {
                return Ok((n + 1, Some(found)));
            }
            if self.place == Place::After {
                return Ok((piece.len(), None));
            }
        }
        Ok((piece.len(), None))
    }

    /// Called once the last piece was read.
    ///
    /// # Errors
    /// The file ends before its last message does.
    pub fn finish(&self) -> Result<(), WrongFile> {
        match self.place {
            Place::After => Ok(()),
            Place::Before => Err(WrongFile::NotAnExport),
            Place::Head | Place::Between => Err(WrongFile::Cut),
        }
    }

    fn step(&mut self, byte: u8) -> Result<Option<Found>, WrongFile> {
        if self.is_in_value() {
            return self.in_value(byte);
        }
        match (self.place, byte) {
            (Place::After, _) => {}
            (_, b' ' | b'\t' | b'\r' | b'\n') => {}
            // A byte order mark.
            (Place::Before, 0xef | 0xbb | 0xbf) if self.offset <= 3 => {}
            (Place::Before, b'{') => self.place = Place::Head,
            (Place::Before, _) => return Err(WrongFile::NotAnExport),
            (Place::Head, b',' | b':') => {}
            // The object ends without messages.
            (Place::Head, b'}') => return Err(WrongFile::NotAnExport),
            (Place::Head, b'[') if self.name.as_deref() == Some("messages") => {
                let place = &self.checkpoint;
                if place.guild_id.is_none() || place.channel_id.is_none() {
                    return Err(WrongFile::Nameless);
                }
                self.place = Place::Between;
                self.name = None;
                self.checkpoint.in_messages = true;
                self.pass();
            }
            (Place::Head, _) => {
                let is_named = self.name.as_deref();
                self.keeps = is_named.is_none_or(|name| WANTED.contains(&name));
                self.begin(byte);
            }
            (Place::Between, b',') => self.pass(),
            (Place::Between, b']') => {
                self.place = Place::After;
                self.checkpoint.done = true;
                self.pass();
            }
            (Place::Between, _) => {
                self.keeps = true;
                self.begin(byte);
            }
        }
        Ok(None)
    }

    fn pass(&mut self) {
        self.checkpoint.offset = self.offset;
    }

    fn is_in_value(&self) -> bool {
        self.depth > 0 || self.in_string || self.is_bare
    }

    fn begin(&mut self, byte: u8) {
        self.value.clear();
        self.value.push(byte);
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth = 1,
            _ => self.is_bare = true,
        }
    }

    fn in_value(&mut self, byte: u8) -> Result<Option<Found>, WrongFile> {
        if self.is_bare {
            if matches!(byte, b',' | b'}' | b']') {
                self.is_bare = false;
                let found = self.complete();
                // The byte belongs to what surrounds the value.
                let after = self.step(byte)?;
                return Ok(found?.or(after));
            }
            self.keep(byte)?;
            return Ok(None);
        }
        self.keep(byte)?;
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
            if self.depth > DEEPEST {
                return Err(WrongFile::TooLarge);
            }
        }
        match self.is_in_value() {
            true => Ok(None),
            false => self.complete(),
        }
    }

    fn keep(&mut self, byte: u8) -> Result<(), WrongFile> {
        if self.keeps {
            if self.value.len() >= LARGEST {
                return Err(WrongFile::TooLarge);
            }
            self.value.push(byte);
        }
        Ok(())
    }

    /// A value is complete: a message, a name in the head, or the value that follows it.
    fn complete(&mut self) -> Result<Option<Found>, WrongFile> {
        let text = std::mem::take(&mut self.value);
        if self.place == Place::Between {
            let message = serde_json::from_slice::<Value>(&text).ok();
            let message = message.and_then(|message| in_discords_form(&message));
            self.pass();
            return Ok(Some(message.map_or(Found::Unreadable, |message| {
                Found::Message(Box::new(message))
            })));
        }
        let Some(name) = self.name.take() else {
            let name = serde_json::from_slice(&text).map_err(|_| WrongFile::NotAnExport)?;
            self.name = Some(name);
            return Ok(None);
        };
        let is_about = matches!(name.as_str(), "guild" | "channel");
        let value: Option<Value> = match is_about {
            true => serde_json::from_slice(&text).ok(),
            false => None,
        };
        let id = value.as_ref().and_then(|value| value["id"].as_str());
        // An id has one spelling. Others would be other keys.
        let id = id.and_then(Snowflake::parse).map(String::from);
        match name.as_str() {
            "guild" => self.checkpoint.guild_id = id,
            "channel" => self.checkpoint.channel_id = id,
            "messages" => return Err(WrongFile::NotAnExport),
            _ => {}
        }
        self.pass();
        Ok(None)
    }
}
