//! Reading parameters.

use api_types::{ProblemFault, support::Fault};

use super::{Call, Rejection, explain::fault};

/// The parameters of one request. Faults are collected, so that one reply names them all.
#[derive(Debug)]
pub struct Params<'a> {
    call: &'a Call,
    query: Vec<(String, String)>,
    faults: Vec<ProblemFault>,
}

impl<'a> Params<'a> {
    /// The parameters of a request whose operation knows these names in the query.
    pub fn of(call: &'a Call, known: &[&str]) -> Self {
        let text = call.parts().uri.query().unwrap_or_default();
        let query: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect();
        let mut faults: Vec<ProblemFault> = Vec::new();
        for (name, _) in &query {
            if known.contains(&name.as_str()) {
                continue;
            }
            let mut found = fault(format!("query/{name}"), "unknown parameter".to_owned());
            found.hint = Some(match known {
                [] => "this operation has no parameters in the query".to_owned(),
                known => format!("the parameters here are {}", known.join(", ")),
            });
            if !faults.contains(&found) {
                faults.push(found);
            }
        }
        Self {
            call,
            query,
            faults,
        }
    }

    /// A parameter of the path.
    pub fn path<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        let value = self.call.path().iter().find(|(key, _)| key == name);
        let Some((_, value)) = value else {
            self.note("path", name, Fault::new("is not valid UTF-8"));
            return None;
        };
        let parsed = parse(value);
        self.keep("path", name, parsed)
    }

    /// A parameter of the query that may be absent.
    pub fn query<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        let mut values = self.query.iter().filter(|(key, _)| key == name);
        let value = values.next()?;
        let parsed = match values.next() {
            None => parse(&value.1),
            Some(_) => Err(Fault::new("stands there more than once")),
        };
        self.keep("query", name, parsed)
    }

    /// A parameter of the query that must be there.
    pub fn required_query<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        if !self.query.iter().any(|(key, _)| key == name) {
            self.note("query", name, Fault::new("required, but missing"));
        }
        self.query(name, parse)
    }

    /// A list in the query, written by repeating its name; empty if absent.
    pub fn list<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Fault>,
        check: impl Fn(&Vec<T>) -> Result<(), Fault>,
    ) -> Vec<T> {
        let mut items = Vec::new();
        let mut first = None;
        for (_, value) in self.query.iter().filter(|(key, _)| key == name) {
            match parse(value) {
                Ok(item) => items.push(item),
                Err(found) => first = first.or(Some(found)),
            }
        }
        let given = !items.is_empty() || first.is_some();
        if let Some(found) = first.or_else(|| check(&items).err().filter(|_| given)) {
            self.note("query", name, Fault::new(found.detail));
        }
        items
    }

    /// A list in the query with at least one item.
    pub fn required_list<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Fault>,
        check: impl Fn(&Vec<T>) -> Result<(), Fault>,
    ) -> Option<Vec<T>> {
        if !self.query.iter().any(|(key, _)| key == name) {
            self.note("query", name, Fault::new("required, but missing"));
        }
        Some(self.list(name, parse, check))
    }

    /// A header that may be absent.
    pub fn header<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        let mut values = self.call.parts().headers.get_all(name).iter();
        let value = values.next()?;
        let parsed = match (value.to_str(), values.next()) {
            (Ok(text), None) => parse(text),
            (Ok(_), Some(_)) => Err(Fault::new("stands there more than once")),
            (Err(_), _) => Err(Fault::new("has characters beyond ASCII")),
        };
        self.keep("header", name, parsed)
    }

    /// A header that must be there.
    pub fn required_header<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        if !self.call.parts().headers.contains_key(name) {
            self.note("header", name, Fault::new("required, but missing"));
        }
        self.header(name, parse)
    }

    /// Whether no fault was found so far.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// The rejection that names every fault.
    pub fn into_rejection(self) -> Rejection {
        Rejection::Invalid {
            faults: self.faults,
        }
    }

    fn keep<T>(&mut self, place: &str, name: &str, parsed: Result<T, Fault>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(found) => {
                self.note(place, name, found);
                None
            }
        }
    }

    fn note(&mut self, place: &str, name: &str, found: Fault) {
        self.faults
            .push(fault(format!("{place}/{name}"), found.detail));
    }
}
