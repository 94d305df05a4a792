//! Follows references between files and moves what they name into `#/components`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Sources,
    reference::{KINDS, dangling, malformed, split},
};
use crate::{
    fault::{Fault, Faults, Outcome},
    yaml::{Data, Entry, Node, Place},
};

/// One API as a single document.
#[derive(Debug)]
pub struct Bundle {
    /// Short name of the API, e.g. `data`.
    pub name: String,
    /// The whole document; every `$ref` is `#/components/<kind>/<Name>`.
    pub document: Node,
    /// Components that were used: file, kind and name.
    pub used: BTreeSet<(String, String, String)>,
    /// Path items that were used: file and path.
    pub paths: BTreeSet<(String, String)>,
}

/// Bundles the API whose root stands at `root_path`.
pub fn bundle(sources: &Sources, name: &str, root_path: &str) -> Result<Bundle, Vec<Fault>> {
    let Some(root) = sources.get(root_path) else {
        let at = Place {
            file: root_path.into(),
            line: 1,
        };
        return Err(vec![Fault::new("file", &at, "this root does not exist")]);
    };
    let mut bundler = Bundler {
        sources,
        components: BTreeMap::new(),
        used: BTreeSet::new(),
        paths: BTreeSet::new(),
        faults: Faults::default(),
    };
    let document = bundler.root(root, root_path);
    let Bundler {
        components,
        used,
        paths,
        faults,
        ..
    } = bundler;
    faults.verdict()?;
    Ok(Bundle {
        name: name.to_owned(),
        document: assemble(document, root, components),
        used,
        paths,
    })
}

/// Where a hoisted component came from, and its rewritten content once known.
struct Hoisted {
    file: String,
    at: Place,
    content: Option<Node>,
}

struct Bundler<'a> {
    sources: &'a Sources,
    components: BTreeMap<(usize, String), Hoisted>,
    used: BTreeSet<(String, String, String)>,
    paths: BTreeSet<(String, String)>,
    faults: Faults,
}

impl<'a> Bundler<'a> {
    fn root(&mut self, root: &'a Node, file: &str) -> Node {
        let kept = root
            .as_map()
            .unwrap_or_default()
            .iter()
            .filter(|entry| entry.key != "components")
            .map(|entry| match entry.key.as_str() {
                "paths" => with_value(entry, self.paths(&entry.value, file)),
                _ => entry.clone(),
            })
            .collect();
        Node::map(&root.at, kept)
    }

    fn paths(&mut self, node: &'a Node, file: &str) -> Node {
        let mut items = Vec::new();
        for entry in node.as_map().unwrap_or_default() {
            let item = self.path_item(entry, file);
            if let Some(value) = self.faults.keep(item) {
                items.push(with_value(entry, value));
            }
        }
        Node::map(&node.at, items)
    }

    fn path_item(&mut self, entry: &'a Entry, file: &str) -> Outcome<Node> {
        let Some(target) = entry.value.reference() else {
            self.paths.insert((file.to_owned(), entry.key.clone()));
            return Ok(self.rewrite(&entry.value, file));
        };
        let at = &entry.value.at;
        let (target_file, pointer) = split(target, file, at)?;
        if pointer != ["paths", &entry.key] {
            return Err(Fault::new(
                "reference",
                at,
                format!("`{target}` must name the path `{}` in a file", entry.key),
            ));
        }
        let item = self
            .sources
            .get(&target_file)
            .and_then(|document| document.get("paths")?.get(&entry.key))
            .ok_or_else(|| dangling(at, target))?;
        self.paths.insert((target_file.clone(), entry.key.clone()));
        Ok(self.rewrite(item, &target_file))
    }

    /// Copies a node of `file` with every reference made local.
    fn rewrite(&mut self, node: &'a Node, file: &str) -> Node {
        let data = match &node.data {
            Data::Seq(items) => {
                Data::Seq(items.iter().map(|item| self.rewrite(item, file)).collect())
            }
            Data::Map(entries) => Data::Map(
                entries
                    .iter()
                    .map(|entry| with_value(entry, self.value_of(entry, file)))
                    .collect(),
            ),
            other => other.clone(),
        };
        Node {
            at: node.at.clone(),
            data,
        }
    }

    fn value_of(&mut self, entry: &'a Entry, file: &str) -> Node {
        let value = &entry.value;
        match entry.key.as_str() {
            "$ref" => self.target(value, file),
            // What stands here is data, whatever its keys are called.
            "example" | "value" | "default" => value.clone(),
            // Keys of these mappings are names, not keywords.
            "properties" | "x-sse-events" => {
                self.each(value, |bundler, node| bundler.rewrite(node, file))
            }
            "discriminator" => self.each(value, |bundler, node| match node.as_map() {
                Some(_) => bundler.each(node, |bundler, node| bundler.target(node, file)),
                None => node.clone(),
            }),
            _ => self.rewrite(value, file),
        }
    }

    fn each(&mut self, node: &'a Node, mut f: impl FnMut(&mut Self, &'a Node) -> Node) -> Node {
        match node.as_map() {
            None => node.clone(),
            Some(entries) => Node::map(
                &node.at,
                entries
                    .iter()
                    .map(|entry| with_value(entry, f(self, &entry.value)))
                    .collect(),
            ),
        }
    }

    fn target(&mut self, node: &'a Node, file: &str) -> Node {
        let local = match node.as_text() {
            Some(target) => self.hoist(target, file, &node.at),
            None => Err(malformed(&node.at, node.kind())),
        };
        match self.faults.keep(local) {
            Some(local) => Node::text(&node.at, local),
            None => node.clone(),
        }
    }

    /// Makes the target a component of the bundle and returns its local reference.
    fn hoist(&mut self, target: &str, file: &str, at: &Place) -> Outcome<String> {
        let (target_file, pointer) = split(target, file, at)?;
        let [components, kind, name] = pointer.as_slice() else {
            return Err(malformed(at, target));
        };
        let rank = KINDS
            .iter()
            .position(|known| known == kind)
            .filter(|_| components == "components")
            .ok_or_else(|| malformed(at, target))?;
        let content = self
            .sources
            .get(&target_file)
            .and_then(|document| document.get("components")?.get(kind)?.entry(name))
            .ok_or_else(|| dangling(at, target))?;
        let local = format!("#/components/{kind}/{name}");
        let key = (rank, name.clone());
        if let Some(known) = self.components.get(&key) {
            if known.file == target_file {
                return Ok(local);
            }
            let message = format!(
                "`{name}` of {kind} stands in {} already; rename one",
                known.file
            );
            return Err(Fault::new("name-taken", &content.at, message));
        }
        self.used
            .insert((target_file.clone(), kind.clone(), name.clone()));
        // The name is taken before its content is walked, so that a cycle ends here.
        let pending = Hoisted {
            file: target_file.clone(),
            at: content.at.clone(),
            content: None,
        };
        self.components.insert(key.clone(), pending);
        let rewritten = self.rewrite(&content.value, &target_file);
        if let Some(hoisted) = self.components.get_mut(&key) {
            hoisted.content = Some(rewritten);
        }
        Ok(local)
    }
}

/// Puts the hoisted components and the root's security schemes behind the root's other keys.
fn assemble(document: Node, root: &Node, components: BTreeMap<(usize, String), Hoisted>) -> Node {
    let mut by_kind: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
    for ((rank, name), hoisted) in components {
        if let Some(value) = hoisted.content {
            by_kind.entry(rank).or_default().push(Entry {
                key: name,
                at: hoisted.at,
                value,
            });
        }
    }
    let mut kinds: Vec<Entry> = by_kind
        .into_iter()
        .map(|(rank, entries)| entry(KINDS[rank], Node::map(&root.at, entries)))
        .collect();
    let schemes = root
        .get("components")
        .and_then(|all| all.get("securitySchemes"));
    if let Some(schemes) = schemes {
        kinds.push(entry("securitySchemes", schemes.clone()));
    }
    let mut entries = document.as_map().unwrap_or_default().to_vec();
    entries.push(entry("components", Node::map(&root.at, kinds)));
    Node::map(&root.at, entries)
}

fn with_value(entry: &Entry, value: Node) -> Entry {
    Entry {
        key: entry.key.clone(),
        at: entry.at.clone(),
        value,
    }
}

fn entry(key: &str, value: Node) -> Entry {
    Entry {
        key: key.to_owned(),
        at: value.at.clone(),
        value,
    }
}
