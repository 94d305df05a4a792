//! Reads YAML text into a [`Node`] tree.

use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::node::{Data, Entry, Node, Place};
use crate::fault::{Fault, Outcome};

/// Parses one YAML document.
///
/// Anchors, aliases, tags and several documents in a file are refused: a contract is read by
/// people and by many tools, and plain `$ref` says the same.
pub fn parse(file: &Arc<str>, text: &str) -> Outcome<Node> {
    let mut loader = Loader {
        file,
        open: Vec::new(),
        root: None,
    };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => loader.take(event, span.start)?,
            Err(error) => {
                let at = loader.place(*error.marker());
                return Err(Fault::new("yaml", &at, error.info().to_owned()));
            }
        }
    }
    let start = Place {
        file: file.clone(),
        line: 1,
    };
    loader
        .root
        .ok_or_else(|| Fault::new("yaml", &start, "the file holds no document"))
}

/// A collection that is still being filled.
enum Open {
    Seq(Place, Vec<Node>),
    Map(Place, Vec<Entry>, Option<(String, Place)>),
}

struct Loader<'a> {
    file: &'a Arc<str>,
    open: Vec<Open>,
    root: Option<Node>,
}

impl Loader<'_> {
    fn place(&self, marker: Marker) -> Place {
        Place {
            file: self.file.clone(),
            line: marker.line(),
        }
    }

    fn take(&mut self, event: Event<'_>, marker: Marker) -> Outcome<()> {
        let at = self.place(marker);
        match event {
            Event::Alias(_) => Err(Fault::new(
                "yaml",
                &at,
                "aliases are not supported; use $ref",
            )),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                Err(Fault::new(
                    "yaml",
                    &at,
                    "anchors are not supported; use $ref",
                ))
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                Err(Fault::new("yaml", &at, "tags are not supported"))
            }
            Event::Scalar(text, style, _, _) => self.scalar(at, &text, style),
            Event::SequenceStart(..) => {
                self.open.push(Open::Seq(at, Vec::new()));
                Ok(())
            }
            Event::MappingStart(..) => {
                self.open.push(Open::Map(at, Vec::new(), None));
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, at: Place, text: &str, style: ScalarStyle) -> Outcome<()> {
        if let Some(Open::Map(_, entries, key @ None)) = self.open.last_mut() {
            if entries.iter().any(|entry| entry.key == text) {
                return Err(Fault::new(
                    "yaml",
                    &at,
                    format!("`{text}` stands twice in one mapping"),
                ));
            }
            *key = Some((text.to_owned(), at));
            return Ok(());
        }
        let data = match style {
            ScalarStyle::Plain => plain(text),
            _ => Data::Text(text.to_owned()),
        };
        self.put(Node { at, data })
    }

    fn close(&mut self) -> Outcome<()> {
        match self.open.pop() {
            Some(Open::Seq(at, items)) => self.put(Node {
                at,
                data: Data::Seq(items),
            }),
            Some(Open::Map(at, entries, _)) => self.put(Node {
                at,
                data: Data::Map(entries),
            }),
            None => Ok(()),
        }
    }

    fn put(&mut self, node: Node) -> Outcome<()> {
        match self.open.last_mut() {
            None if self.root.is_some() => Err(Fault::new(
                "yaml",
                &node.at,
                "a second document in one file",
            )),
            None => {
                self.root = Some(node);
                Ok(())
            }
            Some(Open::Seq(_, items)) => {
                items.push(node);
                Ok(())
            }
            Some(Open::Map(_, entries, key)) => match key.take() {
                Some((key, at)) => {
                    entries.push(Entry {
                        key,
                        at,
                        value: node,
                    });
                    Ok(())
                }
                None => Err(Fault::new("yaml", &node.at, "a key must be a scalar")),
            },
        }
    }
}

/// Types a plain scalar by the YAML 1.2 core schema, less its octal and hexadecimal forms.
fn plain(text: &str) -> Data {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Data::Null,
        "true" | "True" | "TRUE" => return Data::Bool(true),
        "false" | "False" | "FALSE" => return Data::Bool(false),
        _ => {}
    }
    let numeric = text
        .trim_start_matches(['-', '+'])
        .starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !numeric {
        return Data::Text(text.to_owned());
    }
    if let Ok(number) = text.parse::<i128>() {
        return Data::Int(number);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Data::Float(number),
        _ => Data::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Outcome<Node> {
        parse(&Arc::from("t.yaml"), text)
    }

    #[test]
    fn nodes_know_their_line() {
        let node = read("a:\n  b:\n    - 1\n    - x: 'y'\n").expect("valid");
        let b = node.get("a").and_then(|a| a.get("b")).expect("b");
        let Data::Seq(items) = &b.data else {
            panic!("not a list")
        };
        assert_eq!(items[0].at.to_string(), "t.yaml:3");
        assert_eq!(items[1].get("x").expect("x").at.to_string(), "t.yaml:4");
    }

    #[test]
    fn plain_scalars_are_typed_and_quoted_ones_are_text() {
        let node = read("i: -5\nf: 1.5\nt: true\nn: ~\nq: '5'\nv: 1.0.0\ns: .5x\n").expect("valid");
        let data = |key: &str| &node.get(key).expect("key").data;
        assert!(matches!(data("i"), Data::Int(-5)));
        assert!(matches!(data("f"), Data::Float(f) if *f == 1.5));
        assert!(matches!(data("t"), Data::Bool(true)));
        assert!(matches!(data("n"), Data::Null));
        for key in ["q", "v", "s"] {
            assert!(matches!(data(key), Data::Text(_)), "{key}");
        }
    }

    #[test]
    fn what_hides_content_is_refused_with_its_line() {
        for (text, want) in [
            ("a: &x 1\nb: 2\n", "t.yaml:1: [yaml] anchors"),
            ("a: 1\nb: !!str 2\n", "t.yaml:2: [yaml] tags"),
            ("a: 1\na: 2\n", "t.yaml:2: [yaml] `a` stands twice"),
            ("a: 1\n---\nb: 1\n", "t.yaml:3: [yaml] a second document"),
            ("", "t.yaml:1: [yaml] the file holds no document"),
        ] {
            let fault = read(text).expect_err(text).to_string();
            assert!(fault.starts_with(want), "{fault}");
        }
    }
}
