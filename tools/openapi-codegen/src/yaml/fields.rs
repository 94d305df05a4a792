//! Reads a mapping key by key and refuses the keys that nobody asked for.

use super::node::{Data, Entry, Node};
use crate::fault::{Fault, Outcome};

/// The keys of one mapping. [`Fields::finish`] refuses every key that was not read, so a
/// construct that the generator does not know can never be dropped silently.
pub struct Fields<'a> {
    node: &'a Node,
    entries: &'a [Entry],
    what: &'static str,
    read: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Opens a mapping; `what` names it in messages, e.g. `an operation`.
    pub fn open(node: &'a Node, what: &'static str) -> Outcome<Self> {
        match node.as_map() {
            Some(entries) => Ok(Self {
                node,
                entries,
                what,
                read: Vec::new(),
            }),
            None => Err(Fault::unsupported(
                &node.at,
                format!("{what} must be a mapping, this is {}", node.kind()),
            )),
        }
    }

    /// The mapping itself.
    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// The value of an optional key.
    pub fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        self.read.push(key);
        self.node.get(key)
    }

    /// Marks keys that mean nothing to the generator but are allowed.
    pub fn allow(&mut self, keys: &[&'static str]) {
        self.read.extend(keys);
    }

    /// The value of a required key.
    pub fn need(&mut self, key: &'static str) -> Outcome<&'a Node> {
        let (node, what) = (self.node, self.what);
        self.get(key).ok_or_else(|| {
            Fault::unsupported(&node.at, format!("`{key}` is missing; {what} needs it"))
        })
    }

    /// The text of an optional key.
    pub fn text(&mut self, key: &'static str) -> Outcome<Option<&'a str>> {
        self.get(key).map(|node| text(node, key)).transpose()
    }

    /// The text of a required key.
    pub fn need_text(&mut self, key: &'static str) -> Outcome<&'a str> {
        let node = self.need(key)?;
        text(node, key)
    }

    /// A flag; absent means `false`.
    pub fn flag(&mut self, key: &'static str) -> Outcome<bool> {
        match self.get(key) {
            None => Ok(false),
            Some(node) => match node.data {
                Data::Bool(flag) => Ok(flag),
                _ => Err(expected(node, key, "true or false")),
            },
        }
    }

    /// An optional integer.
    pub fn int(&mut self, key: &'static str) -> Outcome<Option<i128>> {
        match self.get(key) {
            None => Ok(None),
            Some(node) => match node.data {
                Data::Int(number) => Ok(Some(number)),
                _ => Err(expected(node, key, "an integer")),
            },
        }
    }

    /// An optional count, 0 or more.
    pub fn count(&mut self, key: &'static str) -> Outcome<Option<u64>> {
        let node = self.node;
        self.int(key)?
            .map(|number| {
                u64::try_from(number)
                    .map_err(|_| expected(node.get(key).unwrap_or(node), key, "0 or more"))
            })
            .transpose()
    }

    /// An optional number.
    pub fn number(&mut self, key: &'static str) -> Outcome<Option<f64>> {
        match self.get(key) {
            None => Ok(None),
            Some(node) => match node.data {
                Data::Int(number) => Ok(Some(number as f64)),
                Data::Float(number) => Ok(Some(number)),
                _ => Err(expected(node, key, "a number")),
            },
        }
    }

    /// An optional list; absent means empty.
    pub fn list(&mut self, key: &'static str) -> Outcome<&'a [Node]> {
        match self.get(key) {
            None => Ok(&[]),
            Some(node) => match &node.data {
                Data::Seq(items) => Ok(items),
                _ => Err(expected(node, key, "a list")),
            },
        }
    }

    /// An optional list of texts; absent means empty.
    pub fn texts(&mut self, key: &'static str) -> Outcome<Vec<&'a str>> {
        self.list(key)?.iter().map(|node| text(node, key)).collect()
    }

    /// An optional mapping; absent means empty.
    pub fn map(&mut self, key: &'static str) -> Outcome<&'a [Entry]> {
        match self.get(key) {
            None => Ok(&[]),
            Some(node) => node
                .as_map()
                .ok_or_else(|| expected(node, key, "a mapping")),
        }
    }

    /// Refuses the first key that was not read.
    pub fn finish(self) -> Outcome<()> {
        let unread = self
            .entries
            .iter()
            .find(|entry| !self.read.iter().any(|key| *key == entry.key));
        match unread {
            None => Ok(()),
            Some(entry) => Err(Fault::unsupported(
                &entry.at,
                format!("`{}` is not supported in {}", entry.key, self.what),
            )),
        }
    }
}

fn text<'a>(node: &'a Node, key: &str) -> Outcome<&'a str> {
    node.as_text()
        .ok_or_else(|| expected(node, key, "a text (quote it)"))
}

fn expected(node: &Node, key: &str, wanted: &str) -> Fault {
    Fault::unsupported(
        &node.at,
        format!("`{key}` must be {wanted}, this is {}", node.kind()),
    )
}
