//! Lua scripts, which the server knows by their SHA.

use std::sync::OnceLock;

use super::lua::{self, LuaFiles};
use super::{Command, Error, FromReply, RawCommand, RedisService};

/// Allows the service to run scripts on other keys at the same time. Every key that the
/// script touches must then be among its KEYS.
const SHEBANG: &str = "#!lua flags=allow-key-locking\n";

/// A script that can be replayed: when it runs again with the same arguments, it changes
/// nothing and returns the same answer. So it may be sent again after a lost reply.
pub struct Script {
    /// The name, for errors and logs.
    pub name: &'static str,
    files: LuaFiles,
    main: &'static str,
    wrapper: Option<&'static str>,
    inner: u32,
    source: OnceLock<Source>,
}

struct Source {
    text: String,
    sha: String,
}

impl Script {
    /// Creates the script whose main file has the script's name, with the files it needs.
    pub const fn new(name: &'static str, files: LuaFiles) -> Script {
        Script {
            name,
            files,
            main: name,
            wrapper: None,
            inner: 2,
            source: OnceLock::new(),
        }
    }

    /// Turns `main` into a function `work`, which the file `wrapper` calls.
    pub const fn wrapped(mut self, main: &'static str, wrapper: &'static str) -> Script {
        self.main = main;
        self.wrapper = Some(wrapper);
        self
    }

    /// Sets how many commands the script usually runs; the default is two. The service
    /// bills them but does not report their number. Only [`super::Meter`] uses this.
    pub const fn running(mut self, commands: u32) -> Script {
        self.inner = commands;
        self
    }

    /// The files that the script consists of, in the order in which they are sent.
    pub fn parts(&self) -> Vec<(&'static str, &'static str)> {
        let mut parts = lua::closure(self.files, self.main);
        if let Some(wrapper) = self.wrapper {
            parts.extend(lua::closure(self.files, wrapper));
        }
        parts
    }

    /// All files in the script's folder.
    pub fn files(&self) -> LuaFiles {
        self.files
    }

    /// The text that is sent: code without comments. It is always the same.
    pub fn text(&self) -> &str {
        &self.source().text
    }

    /// The SHA-1 of the text, by which the server knows the script.
    pub fn sha(&self) -> &str {
        &self.source().sha
    }

    /// Runs the script by its SHA, or in full if the server does not know it.
    ///
    /// # Errors
    /// [`Error::Script`] with the cause.
    pub async fn run<T: FromReply, S: RedisService + ?Sized>(
        &self,
        service: &S,
        keys: &[&str],
        args: &[String],
    ) -> Result<T, Error> {
        self.run_as(service, self.by_sha(keys, args)).await
    }

    /// Like [`Script::run`], but the client never sends it twice. For scripts whose caller
    /// marks a second sending itself.
    pub async fn run_once<T: FromReply, S: RedisService + ?Sized>(
        &self,
        service: &S,
        keys: &[&str],
        args: &[String],
    ) -> Result<T, Error> {
        self.run_as(service, self.by_sha(keys, args).not_repeatable())
            .await
    }

    async fn run_as<T: FromReply, S: RedisService + ?Sized>(
        &self,
        service: &S,
        command: Command<T>,
    ) -> Result<T, Error> {
        let whole = self.whole(&command.raw);
        let reply = match service.execute(command.raw).await {
            Err(error) if error.is_no_script() => service.execute(whole).await,
            reply => reply,
        };
        reply
            .and_then(T::from_reply)
            .map_err(|source| Error::Script {
                script: self.name,
                source: Box::new(source),
            })
    }

    pub(super) fn by_sha<T: FromReply>(&self, keys: &[&str], args: &[String]) -> Command<T> {
        let mut command = Command::safe("EVALSHA")
            .arg(self.sha())
            .arg(keys.len())
            .args(keys)
            .args(args);
        command.raw.inner = self.inner;
        command
    }

    /// The `EVAL` that is equivalent to this `EVALSHA`.
    pub(super) fn whole(&self, by_sha: &RawCommand) -> RawCommand {
        let mut whole = by_sha.clone();
        whole.words[0] = "EVAL".to_owned();
        whole.words[1] = self.text().to_owned();
        whole
    }

    fn source(&self) -> &Source {
        self.source.get_or_init(|| {
            let mut text = SHEBANG.to_owned();
            if self.wrapper.is_some() {
                text.push_str("local function work()\n");
            }
            for (_, part) in lua::closure(self.files, self.main) {
                lua::push_code(part, &mut text);
            }
            if let Some(wrapper) = self.wrapper {
                text.push_str("end\n");
                for (_, part) in lua::closure(self.files, wrapper) {
                    lua::push_code(part, &mut text);
                }
            }
            let sha = sha1_smol::Sha1::from(&text).digest().to_string();
            Source { text, sha }
        })
    }
}
