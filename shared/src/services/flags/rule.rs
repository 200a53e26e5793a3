//! The rule of a flag: which subjects it is on for.

use serde::{Deserialize, Serialize};

/// A rule, stored as JSON in the hash of the flags.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    /// On for all subjects.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub on: bool,
    /// On for this percentage of the subjects, 0 to 100. The same subjects always belong to
    /// it, and a higher percentage only adds subjects.
    #[serde(skip_serializing_if = "is_zero")]
    pub percent: f64,
    /// Always on for these subjects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
}

impl Rule {
    /// On for every subject.
    pub const ON: Rule = Rule {
        on: true,
        percent: 0.0,
        allow: Vec::new(),
    };

    /// On for a percentage of the subjects only.
    pub fn percent(percent: f64) -> Rule {
        Rule {
            percent,
            ..Rule::default()
        }
    }

    /// On for the listed subjects only.
    pub fn allow(subjects: &[&str]) -> Rule {
        Rule {
            allow: subjects
                .iter()
                .map(|subject| (*subject).to_owned())
                .collect(),
            ..Rule::default()
        }
    }

    /// Whether the flag `name` is on for `subject`.
    pub fn is_on(&self, name: &str, subject: &str) -> bool {
        self.on
            || self.allow.iter().any(|allowed| allowed == subject)
            || place(name, subject) < self.percent
    }
}

/// The position of a subject for a flag, from 0 to 100. Positions are evenly spread and
/// differ between flags.
fn place(name: &str, subject: &str) -> f64 {
    let hash = sha1_smol::Sha1::from(format!("{name}\0{subject}")).digest();
    let bytes = hash.bytes();
    let number = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    f64::from(number) * 100.0 / (f64::from(u32::MAX) + 1.0)
}

fn is_zero(percent: &f64) -> bool {
    *percent == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_percentage_only_adds_subjects_and_keeps_its_share() {
        let subjects: Vec<String> = (0..2000).map(|n| n.to_string()).collect();
        let on = |percent: f64| -> Vec<&String> {
            let rule = Rule::percent(percent);
            subjects.iter().filter(|s| rule.is_on("f", s)).collect()
        };
        assert_eq!((on(0.0).len(), on(100.0).len()), (0, 2000));
        let (tenth, half) = (on(10.0), on(50.0));
        assert!((150..250).contains(&tenth.len()) && (900..1100).contains(&half.len()));
        assert!(tenth.iter().all(|subject| half.contains(subject)));
    }

    #[test]
    fn two_flags_of_the_same_share_are_on_for_different_subjects() {
        let rule = Rule::percent(50.0);
        let differs = |n: &u32| rule.is_on("a", &n.to_string()) != rule.is_on("b", &n.to_string());
        assert!((0..1000).filter(differs).count() > 300);
    }

    #[test]
    fn an_allow_list_and_a_switch_take_effect() {
        let rule = Rule::allow(&["7"]);
        assert!(rule.is_on("f", "7") && !rule.is_on("f", "8"));
        assert!(Rule::ON.is_on("f", "anybody") && !Rule::default().is_on("f", "7"));
    }
}
