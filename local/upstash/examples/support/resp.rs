//! A minimal RESP2 client. Replies become JSON; errors become `{"error"}`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use anyhow::{Context, bail};
use serde_json::{Value, json};

pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).context("the real server does not answer")?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    pub fn run(&mut self, command: &[String]) -> anyhow::Result<Value> {
        let mut out = format!("*{}\r\n", command.len());
        for arg in command {
            out.push_str(&format!("${}\r\n{arg}\r\n", arg.len()));
        }
        self.stream.get_mut().write_all(out.as_bytes())?;
        read(&mut self.stream)
    }
}

/// Reads one reply. Invalid UTF-8 becomes U+FFFD.
pub fn read(from: &mut impl BufRead) -> anyhow::Result<Value> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.trim_end_matches(['\r', '\n']);
    let (kind, text) = line.split_at_checked(1).context("the reply ended early")?;
    Ok(match kind {
        "+" => json!({ "status": text }),
        "-" => json!({ "error": text }),
        ":" => json!(text.parse::<i64>()?),
        "$" if text == "-1" => Value::Null,
        "$" => {
            let mut bytes = vec![0; text.parse::<usize>()? + 2];
            from.read_exact(&mut bytes)?;
            bytes.truncate(bytes.len() - 2);
            json!(String::from_utf8_lossy(&bytes))
        }
        "*" if text == "-1" => Value::Null,
        "*" => Value::Array(
            (0..text.parse::<usize>()?)
                .map(|_| read(from))
                .collect::<Result<_, _>>()?,
        ),
        _ => bail!("not a RESP2 reply: {line}"),
    })
}
