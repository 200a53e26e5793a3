//! What the bot may do in a channel, computed as Discord documents it: the permissions of
//! its roles, then the channel's overwrites for everyone, for its roles and for itself. A
//! guild's owner and a role with ADMINISTRATOR may do everything.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::MessageId;
use super::lenient::lenient;

/// A set of permissions, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(pub u64);

impl Permissions {
    pub const ADMINISTRATOR: Permissions = Permissions(1 << 3);
    pub const VIEW_CHANNEL: Permissions = Permissions(1 << 10);
    pub const READ_MESSAGE_HISTORY: Permissions = Permissions(1 << 16);
    pub const CONNECT: Permissions = Permissions(1 << 20);
    pub const MANAGE_THREADS: Permissions = Permissions(1 << 34);
    const ALL: Permissions = Permissions(u64::MAX);

    /// Whether all of `others` are among them.
    pub fn has(self, others: Permissions) -> bool {
        self.0 & others.0 == others.0
    }
}

/// Text, as Discord sends it, or a number.
impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        Ok(Permissions(number.unwrap_or(0)))
    }
}

/// A role of a guild. The role with the guild's id is everyone's.
#[derive(Clone, Debug, Deserialize)]
pub struct Role {
    pub id: MessageId,
    #[serde(default)]
    pub permissions: Permissions,
}

/// Permissions that a channel grants and takes away.
#[derive(Clone, Debug, Deserialize)]
pub struct Overwrite {
    /// The id of a role or a member.
    pub id: MessageId,
    /// 0 for a role, 1 for a member. Older servers send words.
    #[serde(rename = "type", default)]
    kind: Value,
    #[serde(default)]
    allow: Permissions,
    #[serde(default)]
    deny: Permissions,
}

impl Overwrite {
    fn is_of_member(&self) -> bool {
        match &self.kind {
            Value::String(word) => word == "member" || word == "1",
            other => other.as_u64() == Some(1),
        }
    }
}

/// The bot as a member of a guild.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Member {
    /// The ids of its roles, without everyone's.
    #[serde(default, deserialize_with = "lenient")]
    pub roles: Option<Vec<MessageId>>,
}

/// The bot in a guild, as far as it decides what the bot may do.
#[derive(Clone, Debug)]
pub struct Standing {
    guild: MessageId,
    bot: MessageId,
    roles: Vec<MessageId>,
    base: Permissions,
}

impl Standing {
    /// Of the bot with this id in a guild with these roles.
    pub fn new(
        guild: MessageId,
        owner: Option<MessageId>,
        roles: &[Role],
        bot: MessageId,
        member: &Member,
    ) -> Standing {
        let mine = member.roles.clone().unwrap_or_default();
        let is_mine = |role: &&Role| role.id == guild || mine.contains(&role.id);
        let base = roles
            .iter()
            .filter(is_mine)
            .fold(0, |all, role| all | role.permissions.0);
        let is_all = owner == Some(bot) || Permissions(base).has(Permissions::ADMINISTRATOR);
        Standing {
            guild,
            bot,
            roles: mine,
            base: match is_all {
                true => Permissions::ALL,
                false => Permissions(base),
            },
        }
    }

    /// What the bot may do in a channel with these overwrites. A thread has its parent's.
    pub fn within(&self, overwrites: &[Overwrite]) -> Permissions {
        if self.base == Permissions::ALL {
            return self.base;
        }
        let everyone = |o: &Overwrite| !o.is_of_member() && o.id == self.guild;
        let roles = |o: &Overwrite| !o.is_of_member() && self.roles.contains(&o.id);
        let member = |o: &Overwrite| o.is_of_member() && o.id == self.bot;
        let steps: [&dyn Fn(&Overwrite) -> bool; 3] = [&everyone, &roles, &member];
        let permissions = steps.into_iter().fold(self.base.0, |permissions, applies| {
            let (mut allow, mut deny) = (0, 0);
            for overwrite in overwrites.iter().filter(|overwrite| applies(overwrite)) {
                allow |= overwrite.allow.0;
                deny |= overwrite.deny.0;
            }
            (permissions & !deny) | allow
        });
        Permissions(permissions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUILD: MessageId = MessageId(1);
    const BOT: MessageId = MessageId(2);
    const ROLE: MessageId = MessageId(3);
    const VIEW: u64 = Permissions::VIEW_CHANNEL.0;
    const HISTORY: u64 = Permissions::READ_MESSAGE_HISTORY.0;

    fn standing(everyone: u64, own: u64, owner: Option<MessageId>) -> Standing {
        let role = |id, bits| Role {
            id,
            permissions: Permissions(bits),
        };
        let others = MessageId(9);
        let roles = [
            role(GUILD, everyone),
            role(ROLE, own),
            role(others, u64::MAX),
        ];
        let member = Member {
            roles: Some(vec![ROLE]),
        };
        Standing::new(GUILD, owner, &roles, BOT, &member)
    }

    fn overwrite(id: MessageId, kind: u64, allow: u64, deny: u64) -> Overwrite {
        Overwrite {
            id,
            kind: kind.into(),
            allow: Permissions(allow),
            deny: Permissions(deny),
        }
    }

    #[test]
    fn a_roles_overwrite_beats_everyones_and_the_members_beats_both() {
        let bot = standing(VIEW, HISTORY, None);
        assert_eq!(bot.within(&[]).0, VIEW | HISTORY);
        let hidden = overwrite(GUILD, 0, 0, VIEW);
        assert_eq!(bot.within(std::slice::from_ref(&hidden)).0, HISTORY);
        let shown = overwrite(ROLE, 0, VIEW, 0);
        // In whatever order they come.
        assert_eq!(
            bot.within(&[shown.clone(), hidden.clone()]).0,
            VIEW | HISTORY
        );
        let barred = overwrite(BOT, 1, 0, VIEW | HISTORY);
        assert_eq!(bot.within(&[barred, hidden, shown]).0, 0);
    }

    #[test]
    fn overwrites_of_others_change_nothing() {
        let bot = standing(VIEW, 0, None);
        let others = [
            overwrite(MessageId(9), 0, HISTORY, VIEW),
            overwrite(MessageId(8), 1, HISTORY, VIEW),
            // A member with the id of a role, and the other way round.
            overwrite(BOT, 0, HISTORY, VIEW),
            overwrite(ROLE, 1, HISTORY, VIEW),
        ];
        assert_eq!(bot.within(&others).0, VIEW);
    }

    #[test]
    fn an_owner_and_an_administrator_may_do_everything_whatever_a_channel_says() {
        let hidden = [overwrite(BOT, 1, 0, u64::MAX)];
        let administrator = standing(0, Permissions::ADMINISTRATOR.0, None);
        for bot in [standing(0, 0, Some(BOT)), administrator] {
            assert!(bot.within(&hidden).has(Permissions::MANAGE_THREADS));
        }
        assert_eq!(standing(VIEW, 0, Some(ROLE)).within(&hidden).0, 0);
    }

    #[test]
    fn permissions_are_read_as_text_and_as_numbers() {
        let read = |text: &str| serde_json::from_str::<Overwrite>(text).unwrap();
        let text = read(r#"{"id": "2", "type": 1, "allow": "17179869184", "deny": "0"}"#);
        let number = read(r#"{"id": "2", "type": "member", "allow": 17179869184}"#);
        for overwrite in [text, number] {
            let all = standing(0, 0, None).within(&[overwrite]);
            assert_eq!(all, Permissions::MANAGE_THREADS);
        }
    }
}
