//! A stream as lines of JSON: `{"event":"token","id":"1-…","data":{"t":"rain","i":0}}`.

use std::io;

use api_client::{
    ClientEvent,
    types::{TaskCreated, TaskStreamEvent, support::Event},
};
use serde_json::Value;

/// The first line of `orch run`: the answer to the task's creation.
pub(super) fn created(created: &TaskCreated) -> io::Result<String> {
    line("created", None, &serde_json::to_string(created)?)
}

/// One event as the server sent it.
pub(super) fn event(event: &ClientEvent<TaskStreamEvent>) -> io::Result<String> {
    let data = event.event.data().map_err(io::Error::other)?;
    line(event.event.name(), event.id.as_deref(), &on_one_line(data)?)
}

/// What an event of a later version carries may hold line breaks, or be no JSON at all.
fn on_one_line(data: String) -> io::Result<String> {
    if data.contains('\n') || serde_json::from_str::<serde::de::IgnoredAny>(&data).is_err() {
        let value = serde_json::from_str(&data).unwrap_or(Value::String(data));
        return Ok(serde_json::to_string(&value)?);
    }
    Ok(data)
}

/// `data` is JSON already, and stays byte for byte what it is.
fn line(event: &str, id: Option<&str>, data: &str) -> io::Result<String> {
    let event = serde_json::to_string(event)?;
    Ok(match id {
        Some(id) => {
            let id = serde_json::to_string(id)?;
            format!("{{\"event\":{event},\"id\":{id},\"data\":{data}}}\n")
        }
        None => format!("{{\"event\":{event},\"data\":{data}}}\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, data: &str) -> String {
        let event = TaskStreamEvent::read(name, data).expect("the contract takes it");
        super::event(&ClientEvent { id: None, event }).expect("it can be written")
    }

    #[test]
    fn an_event_of_a_later_version_is_passed_on_in_one_line() {
        assert_eq!(
            read("later", "{\"b\": 1,\n\"a\": 2}"),
            "{\"event\":\"later\",\"data\":{\"a\":2,\"b\":1}}\n"
        );
        assert_eq!(
            read("later", "no JSON\n"),
            "{\"event\":\"later\",\"data\":\"no JSON\\n\"}\n"
        );
    }
}
