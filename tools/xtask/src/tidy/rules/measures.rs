//! What has a size that the house limits.

use std::collections::BTreeMap;

use super::module_roots;
use crate::tidy::house::{House, RustFile, is_test_file};
use crate::tidy::source::functions;

/// Lines of a hand-written file.
const FILE: usize = 400;
/// Lines of a file of tests.
const TEST_FILE: usize = 700;
/// Lines of an entry point, which only wires things together.
const MAIN_FILE: usize = 60;
/// Lines of a function, from `fn` to its closing brace.
const FUNCTION: usize = 70;
/// Lines of the page that a newcomer reads first.
const ARCHITECTURE: usize = 200;
/// Items in a table of contents.
const ITEMS: usize = 0;

/// Something that is bigger than its limit.
pub(super) struct Measure {
    pub(super) line: usize,
    pub(super) value: usize,
    pub(super) limit: usize,
    /// What it is and how it is counted, as a message says it: `function `a` has`, `lines`.
    pub(super) subject: String,
    pub(super) unit: &'static str,
    pub(super) advice: &'static str,
}

/// Everything too big, by path and `file`, `fn:name` or `items`; of functions with one name the longest.
pub(super) fn too_big(house: &House<'_>) -> BTreeMap<(String, String), Measure> {
    let mut found: BTreeMap<(String, String), Measure> = BTreeMap::new();
    let mut add = |path: &str, what: String, measure: Measure| {
        let key = (path.to_owned(), what);
        let known = found.get(&key).map_or(measure.limit, |known| known.value);
        if measure.value > known {
            found.insert(key, measure);
        }
    };
    for file in &house.rust {
        add(file.path, "file".to_owned(), whole(file));
        if let Some(contents) = contents(file) {
            add(file.path, "items".to_owned(), contents);
        }
        for function in functions(&file.lexed.tokens) {
            let measure = Measure {
                line: function.line,
                value: function.lines,
                limit: FUNCTION,
                subject: format!("function `{}`", function.name),
                unit: "lines",
                advice: "move a part that deserves a name into a function of its own",
            };
            add(file.path, format!("fn:{}", function.name), measure);
        }
    }
    if let Some(text) = house.tree.text("ARCHITECTURE.md") {
        let measure = Measure {
            line: 1,
            value: text.lines().count(),
            limit: ARCHITECTURE,
            subject: "the page".to_owned(),
            unit: "lines",
            advice: "move detail into docs/ and keep the map",
        };
        add("ARCHITECTURE.md", "file".to_owned(), measure);
    }
    found
}

fn whole(file: &RustFile<'_>) -> Measure {
    let (limit, advice) = if is_test_file(file.path) {
        (TEST_FILE, "split it by what is tested")
    } else if file.path.ends_with("src/main.rs") {
        (MAIN_FILE, "wire up in modules and only call them here")
    } else {
        (
            FILE,
            "give the second idea its own file; inline tests can move to tests.rs beside it",
        )
    };
    Measure {
        line: 1,
        value: file.text.lines().count(),
        limit,
        subject: "the file".to_owned(),
        unit: "lines",
        advice,
    }
}

fn contents(file: &RustFile<'_>) -> Option<Measure> {
    let items = module_roots::items(file);
    Some(Measure {
        line: *items.first()?,
        value: items.len(),
        limit: ITEMS,
        subject: "the table of contents".to_owned(),
        unit: "items",
        advice: "move them into modules named for their ideas; here stand prose, `mod` and `pub use`",
    })
}
