//! Journeys against real daemons with a real engine and model.
