//! The one integration crate: a file a theme, and `support` for the worlds they run in.
#![allow(missing_docs, unreachable_pub)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod attestation_mutations;
mod attestation_publishers;
mod bad_input;
mod binding;
mod cache;
mod cache_command;
mod causes;
mod check;
mod closed_requirements;
mod closed_world;
mod direct;
mod escape;
mod file_places;
mod filename;
mod find_pip;
mod gateway;
mod gateway_ahead;
mod gateway_pip;
mod given_once;
mod guard;
mod hashed_lines;
mod help;
mod helper_runs;
mod http;
mod http_as_pip;
mod http_secrets;
mod index_faults;
mod index_mutations;
mod index_pages;
mod index_shapes;
mod indexes;
mod install_script;
mod installs;
mod installs_indexes;
mod installs_shapes;
mod interruption;
mod invocation;
mod kept_answers;
mod kept_evidence;
mod kept_files;
mod language;
mod layouts;
mod left_alone;
mod live_line;
mod lock;
mod lock_digests;
mod lock_growth;
mod locks;
mod memory;
mod network_settings;
mod network_ways;
mod newer;
mod no_room;
mod nothing_runs;
mod odd_pages;
mod option_sources;
mod option_table;
mod pass_through;
mod policy;
mod printed;
mod prompts;
mod provenance;
mod publisher;
mod real_attestations;
mod recheck;
mod requirements;
mod second_source;
mod settings;
mod settings_e2e;
mod shell_installs;
mod shells;
mod source_builds;
mod source_pass;
mod standby;
mod stated_places;
mod support;
mod surroundings;
mod targets;
mod tidy;
mod tool;
mod tool_pip;
mod trust_file;
mod trust_in_force;
mod trust_pins;
mod trust_store;
mod trusted_root;
mod twins;
mod unresolvable;
mod upgrading_pip;
mod validity;
mod values;
mod verdicts_e2e;
mod ways_around;
mod wheel_archive;
mod wheel_contents;
mod wheelhouse;
mod world;
