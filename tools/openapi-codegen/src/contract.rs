//! The whole contract: every API, and what they share.

use std::{collections::BTreeMap, path::Path};

use crate::{
    bundle::{Bundle, Sources, bundle},
    fault::{Fault, Faults},
    model::{self, Api, Named, Shape, Type},
    reach::Directions,
    yaml::Place,
};

/// Folder of the contract's sources, relative to the repository.
pub const SOURCES: &str = "contracts/openapi";

/// The contract, read.
#[derive(Debug)]
pub struct Contract {
    /// The files it was read from.
    pub sources: Sources,
    /// One bundle for each API, by name.
    pub bundles: Vec<Bundle>,
    /// What each bundle says, in the same order.
    pub apis: Vec<Api>,
    /// Every schema of all APIs, by name.
    pub schemas: BTreeMap<String, Named>,
    /// Where the schemas travel.
    pub directions: Directions,
}

impl Contract {
    /// Reads the contract below `root`. Each folder of [`SOURCES`] with an `openapi.yaml` is
    /// an API.
    pub fn read(root: &Path) -> Result<Self, Vec<Fault>> {
        let sources = Sources::read(root, SOURCES)?;
        let roots: Vec<(String, String)> = sources
            .iter()
            .filter_map(|(path, _)| {
                let name = path
                    .strip_prefix(SOURCES)?
                    .strip_prefix('/')?
                    .strip_suffix("/openapi.yaml")?;
                (!name.contains('/')).then(|| (name.to_owned(), path.to_owned()))
            })
            .collect();
        if roots.is_empty() {
            let at = Place {
                file: SOURCES.into(),
                line: 1,
            };
            return Err(vec![Fault::new("file", &at, "no API/openapi.yaml in here")]);
        }
        let mut bundles = Vec::new();
        let mut apis = Vec::new();
        let mut faults = Faults::default();
        for (name, path) in roots {
            let read = bundle(&sources, &name, &path)
                .and_then(|bundle| model::read(&bundle).map(|api| (bundle, api)));
            match read {
                Ok((bundle, api)) => {
                    bundles.push(bundle);
                    apis.push(api);
                }
                Err(found) => found.into_iter().for_each(|fault| faults.push(fault)),
            }
        }
        faults.verdict()?;
        let schemas = join(&bundles, &apis)?;
        let mut directions = Directions::default();
        for api in &apis {
            directions.join(Directions::of(api));
        }
        Ok(Self {
            sources,
            bundles,
            apis,
            schemas,
            directions,
        })
    }

    /// The shape behind a reference, through any aliases.
    pub fn resolve<'a>(&'a self, ty: &'a Type) -> Resolved<'a> {
        match ty {
            Type::Ref(name) => match self.schemas.get(name).map(|named| &named.shape) {
                Some(Shape::Alias(typed)) => self.resolve(&typed.ty),
                Some(_) => Resolved::Named(&self.schemas[name]),
                None => Resolved::Plain(ty),
            },
            other => Resolved::Plain(other),
        }
    }
}

/// What a type is when aliases are looked through.
#[derive(Clone, Copy, Debug)]
pub enum Resolved<'a> {
    /// An object, union or enumeration.
    Named(&'a Named),
    /// Anything else.
    Plain(&'a Type),
}

/// Joins the schemas of all APIs; one name must mean one thing, as they share one types crate.
fn join(bundles: &[Bundle], apis: &[Api]) -> Result<BTreeMap<String, Named>, Vec<Fault>> {
    let mut schemas: BTreeMap<String, Named> = BTreeMap::new();
    let mut faults = Faults::default();
    let content = |bundle: &Bundle, name: &str| {
        let schemas = bundle.document.get("components")?.get("schemas")?;
        schemas.get(name).cloned()
    };
    for (i, api) in apis.iter().enumerate() {
        for (name, named) in &api.schemas {
            let other = apis[..i]
                .iter()
                .position(|api| api.schemas.contains_key(name));
            if let Some(other) = other {
                let same = match (content(&bundles[other], name), content(&bundles[i], name)) {
                    (Some(a), Some(b)) => a.same(&b),
                    // Made from a property of its owner, which is compared itself.
                    _ => schemas[name].at == named.at,
                };
                if !same {
                    let message = format!("`{name}` means something else at {}", schemas[name].at);
                    faults.push(Fault::new("name-taken", &named.at, message));
                }
            }
            schemas.insert(name.clone(), named.clone());
        }
    }
    faults.verdict()?;
    Ok(schemas)
}
