//! The real pip: which one it is, what it is told, what it answers.

pub mod find;
