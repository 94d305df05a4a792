//! What a store must do for an owner: the trait, its records, its errors.
