//! What is told of a failure, and of a whole series of runs.

mod failure;
mod series;
mod table;

pub use failure::failure;
pub use series::{Series, run_series};
pub use table::{PlantRow, find_plant, plant_table};
