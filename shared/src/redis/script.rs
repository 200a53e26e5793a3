//! Lua scripts, known to the server by their SHA.

use std::sync::OnceLock;

use super::lua::{self, LuaFiles};
use super::{Command, Error, FromReply, RawCommand, RedisService};

/// Lets the service run scripts on other keys at the same time; then every key a
/// script touches must be among its KEYS.
const SHEBANG: &str = "#!lua flags=allow-key-locking\n";

/// A script written to be replayed: the same arguments once more change nothing
/// and give the same answer. So it may be sent again when a reply was lost.
pub struct Script {
    /// For errors and logs.
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
    /// The script whose main file has the script's name, with the files it needs.
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

    /// Makes `main` a function `work` that the file `wrapper` calls.
    pub const fn wrapped(mut self, main: &'static str, wrapper: &'static str) -> Script {
        self.main = main;
        self.wrapper = Some(wrapper);
        self
    }

    /// Says how many commands it usually runs, two if nothing is said: the service bills
    /// them, and its reply does not say how many. For [`super::Meter`] alone.
    pub const fn running(mut self, commands: u32) -> Script {
        self.inner = commands;
        self
    }

    /// The files it is made of, in the order in which they are sent.
    pub fn parts(&self) -> Vec<(&'static str, &'static str)> {
        let mut parts = lua::closure(self.files, self.main);
        if let Some(wrapper) = self.wrapper {
            parts.extend(lua::closure(self.files, wrapper));
        }
        parts
    }

    /// All files of its folder.
    pub fn files(&self) -> LuaFiles {
        self.files
    }

    /// The text as it is sent: code without comments, always the same.
    pub fn text(&self) -> &str {
        &self.source().text
    }

    /// The SHA-1 of the text, by which the server knows it.
    pub fn sha(&self) -> &str {
        &self.source().sha
    }

    /// Runs the script: by its SHA, and whole if the server does not know it.
    ///
    /// # Errors
    /// [`Error::Script`], with the cause.
    pub async fn run<T: FromReply, S: RedisService + ?Sized>(
        &self,
        service: &S,
        keys: &[&str],
        args: &[String],
    ) -> Result<T, Error> {
        self.run_as(service, self.by_sha(keys, args)).await
    }

    /// As [`Script::run`], but never sent twice by the client: for a script whose
    /// caller marks the second sending itself.
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

    /// The `EVAL` that does what an `EVALSHA` of this script would.
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
