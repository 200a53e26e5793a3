//! The authors in the sample guild and the phrases they use.

use super::dice::Dice;
use crate::guild::Author;

const NAMES: [&str; 8] = [
    "mika", "jonas", "priya", "tom_w", "sofia", "kenji", "lena", "oskar",
];
const SUBJECTS: [&str; 8] = [
    "that last round",
    "the new map",
    "tonight's match",
    "the patch",
    "my aim",
    "the final",
    "the boss fight",
    "our defence",
];
const REMARKS: [&str; 8] = [
    "was wild",
    "needs another look",
    "is better than expected",
    "cost us the game",
    "still makes me laugh",
    "deserves a clip",
    "was close",
    "is not what it used to be",
];
const TITLES: [&str; 8] = [
    "ace",
    "clutch",
    "goal",
    "save",
    "fail",
    "speedrun",
    "trickshot",
    "round12",
];

pub(super) fn author(dice: &mut Dice) -> Author {
    let index = dice.below(NAMES.len() as u64);
    Author::new(crate::guild::OWNER_ID + index, NAMES[index as usize])
}

pub(super) fn sentence(dice: &mut Dice) -> String {
    format!("{} {}", dice.one_of(&SUBJECTS), dice.one_of(&REMARKS))
}

/// A file name without extension.
pub(super) fn title(dice: &mut Dice) -> String {
    format!("{}_{:03}", dice.one_of(&TITLES), dice.below(1_000))
}
