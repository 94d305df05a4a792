//! What executes attempts: the Runner and Adapter contracts.
