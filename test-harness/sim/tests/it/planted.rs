//! Every planted bug is found by the seed that the table in `docs/simulation.md` names.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use test_harness_sim::checkers::promises;
use test_harness_sim::{Plan, Plant, World};

struct Row {
    property: String,
    seed: u64,
}

/// The rows of the table.
fn table() -> BTreeMap<String, Row> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/simulation.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("<!-- planted bugs -->").unwrap();
    let (rows, _) = rest.split_once("<!-- end of planted bugs -->").unwrap();
    rows.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, plant, does, property, seeds, _, _] = cells.as_slice() else {
                return None;
            };
            let plant: Plant = plant.trim_matches('`').parse().ok()?;
            assert_eq!(
                *does,
                plant.breaks(),
                "the table is not current: cargo xtask sim --table"
            );
            let seeds: u64 = seeds.parse().unwrap();
            let row = Row {
                property: (*property).to_owned(),
                seed: seeds - 1,
            };
            Some((plant.name().to_owned(), row))
        })
        .collect()
}

#[test]
fn every_planted_bug_is_found_where_the_table_says() {
    let table = table();
    for plant in Plant::ALL {
        let row = table
            .get(plant.name())
            .unwrap_or_else(|| panic!("{plant} is not in the table: cargo xtask sim --table"));
        assert!(row.seed < 2_000, "{plant} takes more than 2,000 seeds");
        let outcome = World::new(&Rc::new(Plan::of(row.seed)), Some(*plant), false).run();
        let broken = outcome.broken.map(|broken| broken.property);
        assert_eq!(
            broken,
            Some(row.property.as_str()),
            "{plant} at seed {}; find it anew: cargo xtask sim --table",
            row.seed
        );
    }
    assert_eq!(table.len(), Plant::ALL.len());
}

#[test]
fn every_property_that_is_watched_is_in_the_page() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/simulation.md");
    let page = std::fs::read_to_string(page).unwrap();
    for (property, _) in promises(&Plan::of(0).setup) {
        assert!(
            page.contains(&format!("- **{property}**")),
            "docs/simulation.md does not list `{property}`"
        );
    }
}
