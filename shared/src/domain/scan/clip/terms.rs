//! What a clip can be found by.
//!
//! Each term of a clip is an entry in one sorted set of its guild, in which the entries of a
//! term are in the order of time. See `listing`.

use std::fmt;

use super::{Clip, ClipSource, ProbeState};

/// Words per clip, and the lengths of a word in characters.
const WORDS: usize = 12;
const SHORTEST: usize = 2;
const LONGEST: usize = 24;

/// The endings of file names are no words.
const ENDINGS: [&str; 7] = ["mp4", "mov", "qt", "webm", "mkv", "m4v", "avi"];

/// One property of a clip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Who wrote the message.
    Author(String),
    /// The best known length, in milliseconds.
    Length(u64),
    /// A word of its text, title or file name.
    Word(String),
    /// The site of a link.
    Provider(String),
    /// Where in the message it is. Attachments, which most clips are, have no such term.
    Source(ClipSource),
    /// It is hidden until it is clicked.
    Spoiler,
    /// It was recorded with Discord's Clips.
    Recorded,
    /// Nobody has looked into its file.
    Pending,
    /// Its own id, by which it is found without its message.
    Id(String),
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Author(id) => write!(f, "a{id}"),
            Term::Length(ms) => write!(f, "l{ms:0>9}"),
            Term::Word(word) => write!(f, "w{word}"),
            Term::Provider(name) => write!(f, "p{}", plain(name)),
            Term::Source(source) => write!(f, "s{}", source.as_str()),
            Term::Spoiler => f.write_str("x"),
            Term::Recorded => f.write_str("k"),
            Term::Pending => f.write_str("q"),
            Term::Id(id) => write!(f, "i{id}"),
        }
    }
}

impl Clip {
    /// Everything that this clip can be found by.
    pub fn terms(&self) -> Vec<Term> {
        let is_id = |id: &&String| id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let mut terms = Vec::new();
        terms.extend(
            self.author_id
                .as_ref()
                .filter(is_id)
                .cloned()
                .map(Term::Author),
        );
        terms.extend(self.length().map(length));
        terms.extend(self.provider.clone().map(Term::Provider));
        if self.source != ClipSource::Attachment {
            terms.push(Term::Source(self.source));
        }
        terms.extend(self.spoiler.then_some(Term::Spoiler));
        terms.extend(self.is_clip.then_some(Term::Recorded));
        if self.probe == ProbeState::Pending {
            terms.push(Term::Pending);
        }
        terms.push(Term::Id(self.id.clone()));
        let texts = [&self.title, &self.filename, &self.text];
        let mut found: Vec<String> = Vec::new();
        for word in texts.into_iter().flatten().flat_map(|text| words(text)) {
            if found.len() < WORDS && !found.contains(&word) {
                found.push(word);
            }
        }
        terms.extend(found.into_iter().map(Term::Word));
        terms
    }
}

/// The term of a length in seconds.
pub fn length(seconds: f64) -> Term {
    Term::Length((seconds * 1000.0).round() as u64)
}

/// The words of a text as they are found by: in lower case, without those that are too
/// short or too long.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !letter.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| (SHORTEST..=LONGEST).contains(&word.chars().count()))
        .filter(|word| !ENDINGS.contains(&word.as_str()))
}

/// A name without what separates terms.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_found_by_its_properties_and_words() {
        let clip = Clip {
            id: "7".into(),
            author_id: Some("5".into()),
            duration_declared: Some(12.5),
            provider: Some("You Tube".into()),
            source: ClipSource::Embed,
            title: Some("Grande Finale!".into()),
            filename: Some("grande_finale-2.MP4".into()),
            text: Some("ÜBER a:b\nc wow".into()),
            ..Clip::default()
        };
        let terms: Vec<String> = clip.terms().iter().map(Term::to_string).collect();
        let expected = [
            "a5",
            "l000012500",
            "pyoutube",
            "sembed",
            "q",
            "i7",
            "wgrande",
            "wfinale",
            "wüber",
            "wwow",
        ];
        assert_eq!(terms, expected);
    }

    #[test]
    fn a_term_never_contains_what_separates_terms() {
        let odd = "a:b c\u{2028}d\n:;";
        let clip = Clip {
            author_id: Some(odd.into()),
            provider: Some(odd.into()),
            title: Some(odd.repeat(50)),
            ..Clip::default()
        };
        for term in clip.terms() {
            let text = term.to_string();
            assert!(!text.contains([':', ' ', '\n', ';']), "{text:?}");
        }
    }
}
