//! A scan as an SVG: what the terminal showed, at the pace at which it showed it.
//!
//! The progress line plays once in a loop. A reader who asked for less motion sees its last
//! state, and so does a viewer without CSS animations.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

/// Columns of the terminal.
pub(crate) const COLUMNS: usize = 96;

/// How long the last state stays before the animation starts again.
const REST: Duration = Duration::from_secs(6);

/// Of a monospaced character at 14 px, and of a line.
const CHARACTER_WIDTH: f64 = 8.43;
const LINE_HEIGHT: usize = 20;
const MARGIN: usize = 16;

/// What a terminal shows while a scan runs.
#[derive(Default)]
pub(crate) struct Picture {
    /// The command.
    pub command: String,
    /// The progress line, each from its time on.
    pub frames: Vec<(Duration, String)>,
    /// What is printed at the end.
    pub text: String,
}

impl Picture {
    /// Adds the progress line as it is `at` some time, if it has changed.
    pub fn add(&mut self, at: Duration, line: &str) {
        let is_same = self.frames.last().is_some_and(|(_, last)| last == line);
        if !is_same && !line.is_empty() {
            self.frames.push((at, line.to_owned()));
        }
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        std::fs::write(path, self.svg())
            .with_context(|| format!("{} cannot be written", path.display()))
    }

    fn svg(&self) -> String {
        let ends = self.frames.last().map_or(Duration::ZERO, |(at, _)| *at);
        let total = (ends + REST).as_secs_f64();
        let printed: Vec<&str> = self.text.lines().collect();
        let width = (COLUMNS as f64 * CHARACTER_WIDTH) as usize + 2 * MARGIN;
        let height = (printed.len() + 2) * LINE_HEIGHT + 2 * MARGIN;
        let mut body = String::new();
        line(&mut body, 0, "command", &format!("$ {}", self.command));
        let mut rules = String::new();
        for (n, (at, text)) in self.frames.iter().enumerate() {
            let until = self.frames.get(n + 1).map(|(next, _)| *next);
            let from = 100.0 * at.as_secs_f64() / total;
            let to = until.map_or(100.0, |next| 100.0 * next.as_secs_f64() / total);
            // Text is written to memory: this cannot fail.
            let _ = writeln!(
                rules,
                "@keyframes f{n} {{ 0%, {from:.2}% {{ opacity: 0 }} {from:.2}%, {to:.2}% \
                 {{ opacity: 1 }} {to:.2}%, 100% {{ opacity: {} }} }}\n\
                 .f{n} {{ animation: f{n} {total:.2}s step-end infinite }}",
                u8::from(until.is_none())
            );
            let class = match until {
                Some(_) => format!("frame f{n}"),
                None => format!("f{n}"),
            };
            line(&mut body, 1, &class, text);
        }
        let shown = 100.0 * ends.as_secs_f64() / total;
        let _ = writeln!(
            rules,
            "@keyframes end {{ 0%, {shown:.2}% {{ opacity: 0 }} {shown:.2}%, 100% \
             {{ opacity: 1 }} }}\n.end {{ animation: end {total:.2}s step-end infinite }}"
        );
        for (n, text) in printed.iter().enumerate() {
            line(&mut body, n + 2, "end", text);
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">\n<style>\n\
             text {{ font: 14px ui-monospace, Menlo, Consolas, monospace; fill: #d6deeb; \
             white-space: pre }}\n.command {{ fill: #7fdbca }}\n.frame {{ opacity: 0 }}\n\
             @media (prefers-reduced-motion: no-preference) {{\n{rules}}}\n</style>\n\
             <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0f1b2d\"/>\n{body}</svg>\n",
            escaped(&format!("A terminal that runs {}", self.command))
        )
    }
}

fn line(body: &mut String, row: usize, class: &str, text: &str) {
    let text: String = text.chars().take(COLUMNS).collect();
    let y = MARGIN + (row + 1) * LINE_HEIGHT - 6;
    let text = escaped(text.trim_end());
    let _ = writeln!(
        body,
        "<text class=\"{class}\" x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\">{text}</text>"
    );
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_shows_each_line_once_and_names_cannot_add_markup() {
        let mut picture = Picture {
            command: "dev scan".to_owned(),
            text: "NAME\n<script>&\"x\"\n".to_owned(),
            ..Picture::default()
        };
        for (at, line) in [(0, ""), (0, "0%"), (250, "0%"), (500, "100%")] {
            picture.add(Duration::from_millis(at), line);
        }
        let svg = picture.svg();
        assert_eq!(svg.matches("<text ").count(), 1 + 2 + 2, "{svg}");
        assert!(svg.contains("&lt;script&gt;&amp;&quot;x&quot;"), "{svg}");
        // The last state is visible without an animation, those before it are not.
        assert!(svg.contains("class=\"frame f0\"") && svg.contains("class=\"f1\""));
    }

    #[test]
    fn lines_are_cut_at_the_terminals_width() {
        let picture = Picture {
            text: "é".repeat(COLUMNS + 10),
            ..Picture::default()
        };
        assert!(
            picture
                .svg()
                .contains(&format!(">{}<", "é".repeat(COLUMNS)))
        );
    }
}
