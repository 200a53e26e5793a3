//! The format of a log line: a flat JSON object that includes the fields of the spans
//! around it.

use std::io::Write as _;

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::trace::Trace;

/// Writes events as lines.
pub struct Lines<W> {
    writer: W,
    /// The name of the function, if there is one.
    function: Option<String>,
}

impl<W> Lines<W> {
    pub fn new(writer: W, function: Option<String>) -> Lines<W> {
        Lines { writer, function }
    }
}

/// Names and values, in order. If a name occurs twice, the later value counts.
#[derive(Clone, Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        let (name, value) = known(name, value.into());
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }
}

/// Renames the fields of the runtime's own span to ours. Lines of an event that reached no
/// handler have no others.
fn known(name: &'static str, value: Value) -> (&'static str, Value) {
    match name {
        "requestId" => ("request_id", value),
        "xrayTraceId" => {
            let trace = value.as_str().and_then(Trace::from_xray);
            ("trace_id", trace.map_or(value, |trace| trace.id().into()))
        }
        _ => (name, value),
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.set(field.name(), format!("{value:?}"));
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Fields::default();
        let mut timestamp = String::new();
        if SystemTime
            .format_time(&mut Writer::new(&mut timestamp))
            .is_ok()
        {
            line.set("timestamp", timestamp);
        }
        line.set("level", event.metadata().level().as_str());
        // Reserved first, because readers look for it first. The event sets it.
        line.set("message", Value::Null);
        if let Some(function) = &self.function {
            line.set("function", function.as_str());
        }
        // From the outermost span to the innermost, so a job's own trace takes precedence
        // over its drainer's.
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(fields) = span.extensions().get::<Fields>() {
                for (name, value) in &fields.0 {
                    line.set(name, value.clone());
                }
            }
        }
        event.record(&mut line);
        let mut text = to_json(&line);
        text.push(b'\n');
        // Written in one piece, because others write here too. There is nobody to report a
        // failure to.
        let _ = self
            .writer
            .make_writer_for(event.metadata())
            .write_all(&text);
    }
}

fn to_json(line: &Fields) -> Vec<u8> {
    use serde::Serializer as _;
    let mut text = Vec::with_capacity(256);
    let mut json = serde_json::Serializer::new(&mut text);
    let fields = line.0.iter().map(|(name, value)| (name, value));
    // Names are text and values are JSON, so this cannot fail.
    let _ = json.collect_map(fields);
    text
}
