//! What the bot may do in a channel, from its roles and the channel's overwrites, in the
//! order that Discord documents: everyone, roles, then the member.

use super::channel::Channel;
use super::ids::BOT_ID;
use super::permissions::{
    ADMINISTRATOR, CONNECT, MANAGE_THREADS, Overwrite, READ_MESSAGE_HISTORY, Role, VIEW_CHANNEL,
};
use super::store::Guild;

impl Guild {
    /// The roles, everyone's first.
    pub(crate) fn all_roles(&self) -> Vec<Role> {
        let everyone = Role {
            id: self.id,
            name: "@everyone".to_owned(),
            permissions: self.everyone,
        };
        let manager = self.can_manage_threads.then(|| Role {
            id: self.manager_role_id(),
            name: "Trawl".to_owned(),
            permissions: MANAGE_THREADS,
        });
        let first = [everyone].into_iter().chain(manager);
        first.chain(self.roles.iter().cloned()).collect()
    }

    /// The IDs of the bot's roles. Everyone's is not among them, as on Discord.
    pub(crate) fn bot_role_ids(&self) -> Vec<u64> {
        let manager = self.can_manage_threads.then(|| self.manager_role_id());
        manager
            .into_iter()
            .chain(self.bot_roles.iter().copied())
            .collect()
    }

    /// The role that every bot has of its own.
    fn manager_role_id(&self) -> u64 {
        self.id + 900
    }

    /// What the bot may do in a channel. A thread has its parent's permissions.
    pub fn bot_permissions(&self, channel: &Channel) -> u64 {
        let mine = self.bot_role_ids();
        let is_mine = |id: u64| id == self.id || mine.contains(&id);
        let roles = self.all_roles();
        let base = roles
            .iter()
            .filter(|role| is_mine(role.id))
            .fold(0, |all, role| all | role.permissions);
        if base & ADMINISTRATOR != 0 {
            return u64::MAX;
        }
        let parent = channel.thread.and(channel.parent_id);
        let place = parent.and_then(|id| self.find_channel(id));
        let overwrites = place.unwrap_or(channel).all_overwrites();
        let steps: [&dyn Fn(&Overwrite) -> bool; 3] = [
            &|overwrite| !overwrite.of_member && overwrite.id == self.id,
            &|overwrite| !overwrite.of_member && mine.contains(&overwrite.id),
            &|overwrite| overwrite.of_member && overwrite.id == BOT_ID,
        ];
        steps.into_iter().fold(base, |permissions, applies| {
            let (mut allow, mut deny) = (0, 0);
            for overwrite in overwrites.iter().filter(|overwrite| applies(overwrite)) {
                allow |= overwrite.allow;
                deny |= overwrite.deny;
            }
            (permissions & !deny) | allow
        })
    }

    /// Whether the bot sees a channel.
    pub(crate) fn may_see(&self, channel: &Channel) -> bool {
        let permissions = self.bot_permissions(channel);
        let needed = match channel.kind {
            2 | 13 => VIEW_CHANNEL | CONNECT,
            _ => VIEW_CHANNEL,
        };
        let is_open = channel.kind != 12
            || permissions & MANAGE_THREADS != 0
            || channel.thread.is_some_and(|thread| thread.joined);
        permissions & needed == needed && is_open
    }

    /// Whether the bot may read the history of a channel that it sees.
    pub(crate) fn may_read_history(&self, channel: &Channel) -> bool {
        self.bot_permissions(channel) & READ_MESSAGE_HISTORY != 0
    }
}
