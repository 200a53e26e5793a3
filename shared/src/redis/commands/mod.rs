//! The commands, one short function for each, by family.
//!
//! Each family is a trait, so that `redis.get(key)` works on any
//! [`RedisService`](super::RedisService). It is also a module of builders with the same
//! names, so that a [`Pipeline`](super::Pipeline) accepts `strings::get(key)`.

/// Defines a family. Each function becomes a builder, and a method that sends the command.
macro_rules! commands {
    (
        $(#[$about:meta])*
        $family:ident {
            $(
                $(#[$doc:meta])*
                fn $name:ident($($arg:ident: $type:ty),* $(,)?) -> $reply:ty $body:block
            )*
        }
    ) => {
        $(
            $(#[$doc])*
            pub fn $name($($arg: $type),*) -> $crate::redis::Command<$reply> $body
        )*

        $(#[$about])*
        pub trait $family: $crate::redis::RedisService {
            $(
                $(#[$doc])*
                fn $name(&self, $($arg: $type),*)
                    -> impl Future<Output = Result<$reply, $crate::redis::Error>> + Send {
                    let command = $name($($arg),*);
                    async move { command.send(self).await }
                }
            )*
        }

        impl<S: $crate::redis::RedisService + ?Sized> $family for S {}
    };
}

/// Milliseconds as Redis accepts them: rounded up, because it refuses 0.
pub(crate) fn whole_ms(time: std::time::Duration) -> u128 {
    time.as_nanos().div_ceil(1_000_000).max(1)
}

pub mod hashes;
pub mod keys;
pub mod scripting;
pub mod server;
pub mod sorted_sets;
pub mod streams;
pub mod strings;

pub use hashes::Hashes;
pub use keys::Keys;
pub use scripting::Scripting;
pub use server::Server;
pub use sorted_sets::SortedSets;
pub use streams::Streams;
pub use strings::Strings;
